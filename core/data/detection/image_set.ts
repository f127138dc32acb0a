import { UserError } from "../../errors.ts";

/**
 * A list of images, as in VOC's ImageSets/Main: a name a line. In the lists of one class a number follows: 1 where the
 * image holds it, 0 where all that it holds is difficult, −1 where it holds none; these last are left out.
 */
export function parseImageSet(text: string, file: string): string[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const [name, flag, ...rest] = line.trim().split(/\s+/);
    if (!name) return [];
    if (rest.length > 0 || (flag !== undefined && !/^-?[01]$/.test(flag))) {
      throw new UserError(`${file} line ${index + 1}: "${line.trim()}", expected the name of an image`);
    }
    return flag === "-1" ? [] : [name];
  });
}
