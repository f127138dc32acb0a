/** Small image files of every kind, with the pixels that torchvision's loader has of them. */

export interface ImageKind {
  readonly name: string;
  readonly file: Uint8Array;
  /** By `Image.open(file).convert("RGB")`. */
  readonly torchvision: Pixels;
  /** What they are here, where that is something else on purpose. */
  readonly ours: Pixels | undefined;
}

export interface Pixels {
  /** Width and height. */
  readonly size: readonly number[];
  readonly rgb: Uint8Array;
}

/** See make.py beside the file. */
const FIXTURE = new URL("../fixtures/images/images.json", import.meta.url);

export async function imageKinds(): Promise<ImageKind[]> {
  interface Stored {
    size: number[];
    rgb: string;
  }
  type Case = Stored & { file: string; ours?: Stored };
  const { cases } = JSON.parse(await Deno.readTextFile(FIXTURE)) as { cases: Record<string, Case> };
  const pixels = ({ size, rgb }: Stored) => ({ size, rgb: Uint8Array.fromBase64(rgb) });
  return Object.entries(cases).map(([name, one]) => ({
    name,
    file: Uint8Array.fromBase64(one.file),
    torchvision: pixels(one),
    ours: one.ours && pixels(one.ours),
  }));
}
