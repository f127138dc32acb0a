import assert from "node:assert/strict";
import { join } from "node:path";
import { findImageFiles } from "../../../host/images/find.ts";
import { put } from "../../support/pictures.ts";
import { withFolder } from "../../support/temp_folder.ts";

Deno.test("find: files, folders and patterns, each image once", () =>
  withFolder(async (folder) => {
    for (
      const name of ["b.jpg", "a.png", "notes.txt", "in/c.JPG", "in/deep/d.webp", ".hidden/e.jpg", "[1].jpg"]
    ) {
      await put(join(folder, name), "x");
    }
    const at = (...names: string[]) => names.map((name) => join(folder, name));
    const found = (...names: string[]) => findImageFiles(names.map((name) => `${folder}/${name}`));
    assert.deepEqual(await found(""), at("[1].jpg", "a.png", "b.jpg", "in/c.JPG", "in/deep/d.webp"));
    assert.deepEqual(
      await found("b.jpg", "notes.txt", "in"),
      at("b.jpg", "notes.txt", "in/c.JPG", "in/deep/d.webp"),
    );
    assert.deepEqual(await found("*.jpg"), at("[1].jpg", "b.jpg"));
    assert.deepEqual(await found("in/*"), at("in/c.JPG"));
    assert.deepEqual(await found("**/*.{webp,png}"), at("a.png", "in/deep/d.webp"));
    assert.deepEqual(await found("[1].jpg"), at("[1].jpg")); // A file of that name comes before a pattern.
    assert.deepEqual(await found("b.jpg", "./in/../b.jpg", "*"), at("b.jpg", "[1].jpg", "a.png"));
    await assert.rejects(found("none.jpg"), /none\.jpg: there is no such file or folder/);
    await assert.rejects(found("*.gif"), /\*\.gif: no image has such a name/);
    await assert.rejects(found("nowhere/*.jpg"), /no image has such a name/);
    await Deno.mkdir(join(folder, "empty"));
    await assert.rejects(found("empty"), /empty: there are no images in this folder/);
  }));
