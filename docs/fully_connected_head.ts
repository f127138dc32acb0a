/** A head of one fully connected layer, for `deno task summary`; see heads.md. */
import { fullyConnectedHead } from "../models/nin.ts";

export const input = [1024, 8, 8];
export const num_classes = 10;
export default () => fullyConnectedHead(1024, 8, 10);
