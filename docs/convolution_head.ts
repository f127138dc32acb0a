/** Network in network's head, a 1×1 convolution and a mean, for `deno task summary`; see heads.md. */
import { convolutionHead } from "../models/nin.ts";

export const input = [1024, 8, 8];
export const num_classes = 10;
export default () => convolutionHead(1024, 10);
