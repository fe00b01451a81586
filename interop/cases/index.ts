import "./founder.ts";
import "./joining.ts";
import "./failing.ts";
import "./leaving.ts";
import "./partition.ts";
import "./secured.ts";
import "./caching.ts";
import "./layouts.ts";
import "./dialogues.ts";
import { assertSomeCaseIsChosen } from "../mixed-mesh.ts";

assertSomeCaseIsChosen();
