/** `deno run train.ts --model resnet50` */
import { main } from "./cli/main.ts";
import { train } from "./cli/train.ts";

if (import.meta.main) await main(train);
