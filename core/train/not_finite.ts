/** A loss or a weight that is not finite: where it began. The step that noticed it updated no weight. */
export class NotFinite extends Error {
  override readonly name = "NotFinite";
}
