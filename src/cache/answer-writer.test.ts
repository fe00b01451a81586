import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { AnswerWriter, type Outcome, reuse } from "./answer-writer.ts";
import { extensionService } from "./wire.ts";

const { responseDeserialize } = extensionService("n").exchange;

const number = fc.oneof(
  fc.constantFrom(0, 1, 127, 128, 16_384, 2 ** 31, 2 ** 32 - 1),
  fc.nat({ max: 2 ** 32 - 1 }),
);
const outcome: fc.Arbitrary<Outcome> = fc.record(
  {
    outcome: number,
    value: fc.uint8Array({ maxLength: 300 }),
    livesMs: number,
    reason: fc.string({ unit: "grapheme" }),
    status: number,
  },
  { requiredKeys: ["outcome"] },
);

describe("answers as they are written", () => {
  it("are what protobuf reads", () => {
    const answers = fc.array(fc.tuple(number, outcome), { maxLength: 20 });
    fc.assert(
      fc.property(answers, answers, (first, second) => {
        const writer = new AnswerWriter();
        for (const sent of [first, second]) {
          for (const [id, one] of sent) writer.add(id, one);
          const heard = responseDeserialize(writer.take()).answers;
          assert.deepEqual(
            heard.map((one) => [one.id, one.outcome, [...one.value], one.livesMs, one.reason, one.status]),
            sent.map(([id, one]) => [
              id,
              one.outcome,
              [...(one.value ?? [])],
              one.livesMs ?? 0,
              one.reason ?? "",
              one.status ?? 0,
            ]),
          );
        }
      }),
    );
  });

  it("may be longer than what came before", () => {
    const writer = new AnswerWriter();
    const value = Buffer.alloc(1_000_000, 7);
    writer.add(1, { outcome: 0, value });
    assert.ok(writer.length > value.length);
    assert.deepEqual(Buffer.from(responseDeserialize(writer.take()).answers[0]!.value), value);
    assert.equal(writer.length, 0);
  });

  it("use the memory of those that were sent, and of no others", () => {
    const written = (byte: number): Buffer => {
      const writer = new AnswerWriter();
      for (let id = 1; id <= 6; id++) writer.add(id, { outcome: 0, value: Buffer.alloc(10_000, byte) });
      return writer.take();
    };
    const first = written(1);
    const second = written(2);
    assert.notEqual(second.buffer, first.buffer);
    // As large, and others may have parts of it: `Buffer.poolSize` can be set.
    const foreign = Buffer.from(new ArrayBuffer(64 * 1024)).subarray(0, 10);
    reuse(foreign);
    reuse(first);
    const third = written(3);
    assert.equal(third.buffer, first.buffer);
    assert.notEqual(written(4).buffer, foreign.buffer);
    for (const [byte, message] of [
      [2, second],
      [3, third],
    ] as const) {
      for (const { value } of responseDeserialize(message).answers)
        assert.ok(value.every((one) => one === byte));
    }
  });
});
