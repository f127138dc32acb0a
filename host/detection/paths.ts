/** What paths in a data set for detectors say. */

/** Folders that say what their files are: VOC/JPEGImages/1.jpg goes with VOC/Annotations/1.xml. */
export const ROLES = /^(annotations?|annots|xmls?|labels|jpegimages|images|imgs)$/i;
export const SETS = /^(train|val|valid|validation|test)$/;
export const CLASS_LIST = /(^|\/)(classes\.txt|labels\.txt|[^/]+\.names)$/;

/** What an image and its annotation have in common. */
export function keyOf(path: string): string {
  const parts = path.split("/");
  const name = parts.pop()!;
  return stripped([...parts.filter((part) => !ROLES.test(part)), name].join("/"));
}

function stripped(path: string): string {
  return path.replace(/\.[^./]+$/, "");
}

export function stemOf(path: string): string {
  return stripped(path.slice(path.lastIndexOf("/") + 1));
}

/** The folder, with a slash at its end, in which all of them lie; empty for none. */
export function commonFolder(keys: readonly string[]): string {
  const [first = ""] = keys;
  let folder = first.slice(0, first.lastIndexOf("/") + 1);
  while (folder.length > 1 && !keys.every((key) => key.startsWith(folder))) {
    folder = folder.slice(0, folder.lastIndexOf("/", folder.length - 2) + 1);
  }
  return folder;
}
