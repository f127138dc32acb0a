/** The live page's server, as browsers and others who knock meet it. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { UserError } from "../../core/errors.ts";
import { type DashboardServer, serveDashboard } from "../../host/dashboard.ts";

const content = {
  files: new Map([["/", { type: "text/html", body: "<p>page" }]]),
  snapshot: () => ({ all: 1 }),
  picture: (index: number) =>
    index === 13
      ? Promise.reject(new UserError("13.jpg: cannot be read any more"))
      : Promise.resolve(index === 3 ? Uint8Array.of(1, 2) : undefined),
};

async function withServer(body: (server: DashboardServer) => Promise<void>): Promise<void> {
  const server = serveDashboard(0, content);
  try {
    await body(server);
  } finally {
    await server.close();
  }
}

/** The status of a request with this Host header, which `fetch` does not let one choose. */
function statusFor(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    }).on("error", reject).end();
  });
}

Deno.test("it serves its own paths, by GET only, with a strict policy", async () => {
  await withServer(async ({ url }) => {
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const page = await fetch(url);
    assert.equal(await page.text(), "<p>page");
    assert.match(page.headers.get("content-security-policy")!, /^default-src 'none'; script-src 'self';/);
    assert.equal(page.headers.get("x-content-type-options"), "nosniff");
    assert.deepEqual([...await (await fetch(`${url}samples/3.bmp`)).bytes()], [1, 2]);
    for (const path of ["samples/4.bmp", "samples/-1.bmp", "deno.json", "..%2fdeno.json", "events/x"]) {
      const { status, body } = await fetch(url + path);
      await body?.cancel();
      assert.equal(status, 404, path);
    }
    const post = await fetch(url, { method: "POST", body: "x" });
    await post.body?.cancel();
    assert.equal(post.status, 405);
  });
});

Deno.test("a picture that cannot be had is told to the page, and not on the run's terminal", async () => {
  await withServer(async ({ url }) => {
    const printed: unknown[] = [];
    const { error } = console;
    console.error = (...line) => void printed.push(line);
    try {
      const response = await fetch(`${url}samples/13.bmp`);
      assert.deepEqual([response.status, await response.text()], [503, "13.jpg: cannot be read any more\n"]);
      assert.match(response.headers.get("content-security-policy")!, /^default-src 'none'/);
    } finally {
      console.error = error;
    }
    assert.deepEqual(printed, []);
  });
});

Deno.test("a request under another site's name is refused", async () => {
  await withServer(async ({ url }) => {
    const { port } = new URL(url);
    assert.equal(await statusFor(url, `127.0.0.1:${port}`), 200);
    assert.equal(await statusFor(url, "localhost:9000"), 200, "through a tunnel");
    for (
      const host of ["evil.example", `evil.example:${port}`, "localhost.evil.example", "127.0.0.1.nip.io"]
    ) {
      assert.equal(await statusFor(url, host), 403, host);
    }
  });
});

Deno.test("a page gets all on connecting, then what is sent, and sees the end", async () => {
  const server = serveDashboard(0, content);
  const response = await fetch(`${server.url}events`);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.equal(server.pages, 1);
  server.send({ part: 2 });
  await server.close();
  assert.equal(
    await response.text(),
    'retry: 2000\nevent: snapshot\ndata: {"all":1}\n\nevent: update\ndata: {"part":2}\n\n',
  );
});

Deno.test("a page that reads nothing is dropped rather than waited for", async () => {
  await withServer(async (server) => {
    const response = await fetch(`${server.url}events`);
    const much = "x".repeat(1 << 20);
    for (let i = 0; i < 200 && server.pages > 0; i++) server.send({ much });
    assert.equal(server.pages, 0);
    await response.body?.cancel();
  });
});

Deno.test("a port that is taken is told in one line", async () => {
  await withServer((server) => {
    const port = Number(new URL(server.url).port);
    assert.throws(() => serveDashboard(port, content), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, new RegExp(`^--dashboard ${port}: the port is taken; name another`));
      return true;
    });
    return Promise.resolve();
  });
});
