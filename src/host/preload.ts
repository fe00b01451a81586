// What Node itself puts off until a process first listens, connects and reads its clock. Loaded with the library, before
// anybody waits for a member to join: where many processes of one machine start at once, each has to do it.

import "node:cluster";
import "node:perf_hooks";
import { isIPv6 } from "node:net";

// The regular expression behind it is compiled at its first run, and to machine code at its second.
for (const address of ["127.0.0.1", "::1"]) isIPv6(address);
