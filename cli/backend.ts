/** The backend that flags ask for. */
import type { WasmOptions } from "../core/backend/wasm/backend.ts";
import { type Chooser, exact } from "../core/backend/wasm/lower/method.ts";
import { switchFlag } from "./arguments.ts";

export const exactFlag = switchFlag("no Winograd convolutions: less rounding, slower");

/** Options for `createWasmBackend`; convolutions by `method` unless they are to be exact. */
export function backendOptions(
  given: { readonly threads?: number; readonly exact?: boolean },
  method?: Chooser,
): WasmOptions {
  const chooser = given.exact ? exact : method;
  return {
    ...(given.threads === undefined ? {} : { threads: given.threads }),
    ...(chooser ? { method: chooser } : {}),
  };
}
