import "./joining.ts";
import "./failing.ts";
import "./leaving.ts";
import "./secured.ts";
import { assertSomeCaseIsChosen } from "../mixed-mesh.ts";

assertSomeCaseIsChosen();
