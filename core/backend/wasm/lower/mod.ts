/** The lowering table: one entry an op. An op without one does not compile. */
import type { OpName } from "../../../ops/mod.ts";
import type { Lowering } from "./lowering.ts";
import { activationLowerings } from "./activation.ts";
import { arithmeticLowerings } from "./arithmetic.ts";
import { convLowerings } from "./conv.ts";
import { imageLowerings } from "./image.ts";
import { layoutLowerings } from "./layout.ts";
import { lossLowerings } from "./loss.ts";
import { mixLowerings } from "./mix.ts";
import { normLowerings } from "./norm.ts";
import { poolLowerings } from "./pool.ts";
import { randomLowerings } from "./random.ts";
import { updateLowerings } from "./update.ts";
import { yoloLossLowerings } from "./yolo_loss.ts";

export const lowerings: { readonly [K in OpName]: Lowering<K> } = {
  ...convLowerings,
  ...normLowerings,
  ...activationLowerings,
  ...poolLowerings,
  ...arithmeticLowerings,
  ...layoutLowerings,
  ...lossLowerings,
  ...randomLowerings,
  ...updateLowerings,
  ...imageLowerings,
  ...yoloLossLowerings,
  ...mixLowerings,
};
