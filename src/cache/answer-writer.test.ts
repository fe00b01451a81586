import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { AnswerWriter, type Outcome } from "./answer-writer.ts";
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
});
