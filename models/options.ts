/** What every network takes. A network that has no use for `input_size` works on images of any size. */
export interface ModelOptions {
  readonly num_classes?: number;
  readonly in_channels?: number;
  /** Height and width of the images, for networks whose first linear layer depends on them. */
  readonly input_size?: readonly [number, number];
}
