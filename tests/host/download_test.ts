import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { download } from "../../host/download.ts";
import { type Behaviour, withServer } from "../support/file_server.ts";
import { namesIn, withFolder } from "../support/temp_folder.ts";

const content = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) >> 3);
const md5 = createHash("md5").update(content).digest("hex");

interface Site {
  url: string;
  folder: string;
  target: string;
  part: string;
  server: Behaviour;
  requests: string[];
}

function withSite(body: (site: Site) => Promise<void>): Promise<void> {
  return withFolder((folder) =>
    withServer(content, (url, server, requests) => {
      const target = join(folder, "file.tar.gz");
      return body({ url, folder, target, part: `${target}.part`, server, requests });
    })
  );
}

function withoutIt(bytes: number): Uint8Array {
  return content.subarray(0, bytes);
}

Deno.test("download: a file, with progress, into a folder that is made for it", () =>
  withSite(async ({ url, folder }) => {
    const progress: [number, number | undefined][] = [];
    const target = join(folder, "a", "b", "file.tar.gz");
    await download(url, target, md5, { progress: (...state) => progress.push(state) });
    assert.deepEqual(await Deno.readFile(target), content);
    assert.deepEqual(namesIn(join(folder, "a", "b")), ["file.tar.gz"]);
    assert.deepEqual(progress[0], [0, content.length]);
    assert.deepEqual(progress.at(-1), [content.length, content.length]);
  }));

Deno.test("download: an interrupted one goes on from where it was", () =>
  withSite(async ({ url, folder, target, part, server, requests }) => {
    server.breakAfter = 40_000;
    await assert.rejects(
      download(url, target, md5),
      /^UserError: .*file\.tar\.gz\.part: the download stopped at 40000 of 100000 bytes \([^\n]+\); the same command goes on from there$/,
    );
    assert.deepEqual(namesIn(folder), ["file.tar.gz.part"]);
    assert.deepEqual(await Deno.readFile(part), content.slice(0, 40_000));

    delete server.breakAfter;
    const received: number[] = [];
    await download(url, target, md5, { progress: (bytes) => received.push(bytes) });
    assert.deepEqual(requests, ["", "bytes=40000-"]);
    assert.equal(received[0], 40_000);
    assert.deepEqual(await Deno.readFile(target), content);
    assert.deepEqual(namesIn(folder), ["file.tar.gz"]);
  }));

Deno.test("download: a server without Range starts again", () =>
  withSite(async ({ url, target, part, server, requests }) => {
    await Deno.writeFile(part, withoutIt(40_000));
    server.ranges = false;
    await download(url, target, md5);
    assert.deepEqual(requests, ["bytes=40000-"]);
    assert.deepEqual(await Deno.readFile(target), content);
  }));

Deno.test("download: a part that is complete is only checked and renamed", () =>
  withSite(async ({ url, folder, target, part }) => {
    await Deno.writeFile(part, content);
    await download(url, target, md5);
    assert.deepEqual(namesIn(folder), ["file.tar.gz"]);
  }));

Deno.test("download: a part that is longer than the file starts again", () =>
  withSite(async ({ url, target, part, requests }) => {
    await Deno.writeFile(part, new Uint8Array(content.length + 1));
    await download(url, target, md5);
    assert.deepEqual(requests, ["bytes=100001-", ""]);
    assert.deepEqual(await Deno.readFile(target), content);
  }));

Deno.test("download: a wrong md5 names the file and what to do, and is never trusted", () =>
  withSite(async ({ url, folder, target, part }) => {
    const wrong = "0".repeat(32);
    for (let attempt = 0; attempt < 2; attempt++) {
      await assert.rejects(download(url, target, wrong), (error: Error) => {
        assert.equal(
          error.message,
          `${part}: downloaded from ${url}, but its md5 is ${md5} and should be ${wrong}; delete this file and try again`,
        );
        return true;
      });
      assert.deepEqual(namesIn(folder), ["file.tar.gz.part"]);
    }
  }));

Deno.test("download: what was there is kept when the server says no", () =>
  withSite(async ({ url, folder, target, part, server }) => {
    await Deno.writeFile(part, withoutIt(10));
    for (const status of [404, 500]) {
      server.status = status;
      await assert.rejects(
        download(url, target, md5),
        new RegExp(
          `^UserError: cannot download ${url} \\(the server answers ${status} [^\\n]*\\); get it by other means and put it at ${target}$`,
        ),
      );
    }
    assert.deepEqual(namesIn(folder), ["file.tar.gz.part"]);
    assert.equal((await Deno.stat(part)).size, 10);
  }));

Deno.test("download: a server that falls silent is given up", () =>
  withSite(async ({ url, target, server }) => {
    server.stallAfter = 5000;
    await assert.rejects(
      download(url, target, md5, { idleMilliseconds: 300 }),
      /stopped at 5000 of 100000 bytes \(nothing arrived for 0\.3 seconds\)/,
    );
  }));

Deno.test("download: no server at all", () =>
  withFolder(async (folder) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    const url = `http://127.0.0.1:${port}/x`;
    await assert.rejects(
      download(url, join(folder, "new", "x"), md5),
      new RegExp(
        `^UserError: cannot download ${url} \\(Connection refused\\); get it by other means and put it at `,
      ),
    );
    assert.deepEqual(namesIn(folder), []);
  }));

Deno.test("download: what cannot get its name has its line, and is kept", () =>
  withSite(async ({ url, target, part }) => {
    await Deno.mkdir(target);
    await assert.rejects(
      download(url, target, md5),
      /^UserError: .*\.part: is complete, but cannot be renamed to .*file\.tar\.gz \(Is a directory\)$/,
    );
    assert.deepEqual(await Deno.readFile(part), content);
  }));
