// Where the library tells what it does: nowhere, unless the user passes a logger or sets NODE_DEBUG=blip.

import { debuglog } from "node:util";

/** The part of pino, or of any logger with its order of arguments, that the library uses. */
export interface Logger {
  debug(context: object, text: string): void;
  info(context: object, text: string): void;
  warn(context: object, text: string): void;
  error(context: object, text: string): void;
}

const debug = debuglog("blip");

export const quietLogger: Logger = {
  debug: (context, text) => debug("debug %s %o", text, context),
  info: (context, text) => debug("info %s %o", text, context),
  warn: (context, text) => debug("warn %s %o", text, context),
  error: (context, text) => debug("error %s %o", text, context),
};
