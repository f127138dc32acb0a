/** What goes wrong around a run: each time one clear line, a checkpoint to go on from, an exit code. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors } from "../../core/format/safetensors.ts";
import { photograph, put } from "../support/pictures.ts";
import { namesIn } from "../support/temp_folder.ts";
import { command, commandWithPictures, NET, resume, root, run, withCifar } from "../support/tiny_run.ts";

/** Runs the command; calls `when` once, with the process, when what it printed matches. */
async function runUntil(
  args: readonly string[],
  pattern: RegExp,
  when: (child: Deno.ChildProcess) => void | Promise<void>,
  start = command,
) {
  const child = start(args).spawn();
  const complaint = new Response(child.stderr).text();
  let printed = "", done = false;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += chunk;
    if (done || !pattern.test(printed)) continue;
    done = true;
    await when(child);
  }
  const { code } = await child.status;
  assert.ok(done, `${printed}\n${await complaint}`);
  return { code, printed, complaint: await complaint };
}

async function lastOf(folder: string): Promise<unknown> {
  return readSafetensors(await Deno.readFile(join(folder, "last.safetensors"))).tensors;
}

/** Runs the command by a shell script, which has `$@` for it. */
async function runIn(script: string, args: readonly string[]) {
  const { code, stderr } = await new Deno.Command("bash", {
    args: ["-c", script, "bash", Deno.execPath(), "run", "-P", "train.ts", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  return { code, complaint: new TextDecoder().decode(stderr) };
}

const onlyUnix = { ignore: Deno.build.os === "windows" };

Deno.test(
  "a file that may not be written whole leaves the one before, and nothing else",
  onlyUnix,
  async () => {
    await withCifar(async (small, folder) => {
      const output = join(folder, "run");
      assert.equal((await run(...small, "--epochs", "1", "--output", output)).code, 0);
      const before = await Deno.readFile(join(output, "last.safetensors"));
      // Files may have 4 kB, which is enough for all but the checkpoint.
      const { code, complaint } = await runIn(`trap "" XFSZ; ulimit -f 4; exec "$@"`, [
        ...small.slice(0, 2),
        ...["--resume", output, "--epochs", "2"],
      ]);
      assert.equal(code, 2, complaint);
      assert.match(
        complaint,
        /^error: .*last\.safetensors: cannot write this file \(File too large\); it takes \d+ kB, .*; make room, or/m,
      );
      assert.match(complaint, /^Go on with: deno task train --resume /m);
      assert.deepEqual(await Deno.readFile(join(output, "last.safetensors")), before);
      assert.deepEqual(namesIn(output).filter((name) => name.endsWith(".tmp")), []);
      assert.equal((await resume(small, output, "--epochs", "2")).code, 0);
    });
  },
);

/** Whether a small disk can be had here, without being root on the machine itself. */
const hasDisks = Deno.build.os === "linux" &&
  await new Deno.Command("unshare", { args: ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"] }).output()
    .then(({ success }) => success, () => false);

Deno.test({
  name: "a full disk: told before the run, or when it is full" +
    (hasDisks ? "" : " (left out: no small disk can be mounted here)"),
  ignore: !hasDisks,
  fn: () =>
    withCifar(async (small, folder) => {
      const [disk, copy] = [join(folder, "disk"), join(folder, "copy")];
      await Deno.mkdir(disk);
      const on = (kilobytes: number, then: string) =>
        `exec unshare -rm bash -c 'mount -t tmpfs -o size=${kilobytes}k none "$0" && "$@"; code=$?; ${then} exit $code' ` +
        `"${disk}" "$@"`;
      const args = [...small, "--epochs", "3", "--output", join(disk, "run")];
      const small8 = await runIn(on(8, ""), args);
      assert.equal(small8.code, 2, small8.complaint);
      assert.match(
        small8.complaint,
        /^error: --output .*: its disk has \d+ kB left, and a checkpoint while it replaces another takes \d+ kB; make room/m,
      );
      const full = await runIn(on(24, `cp -r "$0/run" "${copy}";`), args);
      assert.equal(full.code, 2, full.complaint);
      assert.match(
        full.complaint,
        /^error: .*: cannot write this file \(No space left on device\); it takes \d+ kB, and \d+ kB are free there; make room/m,
      );
      assert.deepEqual(namesIn(copy).filter((name) => name.endsWith(".tmp")), []);
      const whole = join(folder, "whole");
      assert.equal((await resume(small, copy)).code, 0);
      assert.equal((await run(...small, "--epochs", "3", "--output", whole)).code, 0);
      assert.deepEqual(await lastOf(copy), await lastOf(whole));
    }),
});

Deno.test(
  "a full disk under what is printed: told once, the run goes to its end",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    await withCifar(async (small, folder) => {
      const args = [...small, "--epochs", "3", "--output"];
      const [output, deaf, whole] = ["run", "deaf", "whole"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      const { code, complaint } = await runIn(`exec "$@" > /dev/full`, [...args, output]);
      assert.equal(code, 2, complaint);
      assert.deepEqual(complaint.split("\n").filter((line) => /error/i.test(line)), [
        "error: what is printed cannot be written (No space left on device): make room where it goes",
      ]);
      assert.equal((await runIn(`exec "$@" > /dev/full 2>&1`, [...args, deaf])).code, 2);
      assert.equal((await run(...args, whole)).code, 0);
      for (const other of [output, deaf]) assert.deepEqual(await lastOf(other), await lastOf(whole));
    });
  },
);

Deno.test("images that vanish in the middle of an epoch cost nothing", async () => {
  await withCifar(async (small, folder) => {
    const photos = join(folder, "photos"), away = join(folder, "away");
    for (const name of ["cats", "dogs"]) {
      for (let i = 0; i < 30; i++) await put(join(photos, name, `${i}.png`), await photograph(9 * i, 9, i));
    }
    const net = ["--model", small[1]!, "--data", photos, "--input", "3x16x16", "--batch-size", "2"];
    const settings = [...net, "--epochs", "3", "--workers", "1", "--print-every", "1"];
    const [output, whole] = [join(folder, "run"), join(folder, "whole")];
    const { code, complaint } = await runUntil(
      [...settings, "--output", output],
      /Epoch \[2\/3\], Step \[3\/24\]/,
      () => Deno.rename(photos, away),
      commandWithPictures,
    );
    assert.equal(code, 2, complaint);
    assert.ok(["curves.svg", "confusion.svg"].every((name) => namesIn(output).includes(name)), complaint);
    assert.match(complaint, /^Stopped in epoch 2 after step \d+ of 24; nothing is lost\.$/m);
    assert.match(complaint, /^Go on with: deno task train --resume .*$/m);
    assert.match(complaint, /^error: .*photos.*: cannot be read any more \(.*\)$/m);
    await Deno.rename(away, photos);
    assert.equal((await resume(small, output)).code, 0);
    assert.equal((await run(...settings, "--output", whole)).code, 0);
    assert.deepEqual(await lastOf(output), await lastOf(whole));
  });
});

/** A network whose file makes workers of a kind begin with `script`. */
const dying = (kind: string, script: string) =>
  `${NET}
globalThis.Worker = class extends Worker {
  constructor(url, options) {
    const own = String(url).includes("${kind}");
    super(own ? "data:text/javascript," + encodeURIComponent(faulty.replace("URL", url)) : url, options);
  }
};
const faulty = \`
  ${script}
  await import("URL");
\`;`;

/** Workers fail a while after the first checkpoint: when they are about to wait, or are asked. */
const failing = (kind: string, how: string, checkpoint: string) =>
  dying(
    kind,
    `
  const { wait } = Atomics;
  let count = 0;
  const saved = () => {
    try {
      return Deno.statSync("${checkpoint}").isFile;
    } catch {
      return false;
    }
  };
  const fail = () => { if (saved() && ++count === 20) ${how} };
  Atomics.wait = (...args) => { fail(); return wait(...args); };
  if ("${kind}" === "images/worker") self.addEventListener("message", fail);`,
  );

/** Ends a worker without an error that anybody hears of. */
const SILENT =
  `{ self.addEventListener("unhandledrejection", (event) => event.stopImmediatePropagation()); self.close(); throw 0; }`;

for (
  const [what, kind, how, message] of [
    ["computes", "wasm/worker", SILENT, "worker \\d+ of the compute pool died: it ended without a word"],
    [
      "computes",
      "wasm/worker",
      `throw new Error("out of luck");`,
      "worker \\d+ of the compute pool died: Error: out of luck( \\(.*\\))?",
    ],
    [
      "decodes images",
      "images/worker",
      "self.close();",
      "a worker that decodes images died: it ended without a word",
    ],
    [
      "decodes images",
      "images/worker",
      `throw new Error("out of luck");`,
      "a worker that decodes images died: Error: out of luck( \\(.*\\))?",
    ],
  ] as const
) {
  Deno.test(`a worker that ${what} and dies ends the run, which can go on: ${message.split(": ")[1]}`, async () => {
    await withCifar(async (_small, folder) => {
      const photos = join(folder, "photos");
      for (const name of ["cats", "dogs"]) {
        for (let i = 0; i < 8; i++) await put(join(photos, name, `${i}.png`), await photograph(9 * i, 9, i));
      }
      const net = join(folder, "net.ts");
      const often = ["--save-every-minutes", "0.0000001", "--epochs", "1000", "--workers", "1"];
      const output = join(folder, "run");
      await Deno.writeTextFile(net, failing(kind, how, join(output, "last.safetensors")));
      const settings = ["--model", net, "--data", photos, "--input", "3x16x16", "--batch-size", "2"];
      const { code, stderr } = await run(...settings, ...often, "--output", output);
      assert.equal(code, 1, stderr);
      assert.match(stderr, new RegExp(`^error: ${message}$`, "m"));
      assert.doesNotMatch(stderr, /^\s+at /m);
      assert.match(stderr, /^Go on with: deno task train --resume /m);
      await Deno.writeTextFile(net, NET);
      const { metadata } = readSafetensors(await Deno.readFile(join(output, "last.safetensors")));
      const { epoch } = JSON.parse(metadata["strata.progress"]!);
      const more = await resume(settings, output, "--epochs", String(epoch + 1));
      assert.equal(more.code, 0, more.stderr);
    });
  });
}

Deno.test("a worker that dies over its first image, without a word, ends the run", async () => {
  await withCifar(async (_small, folder) => {
    const photos = join(folder, "photos");
    for (const name of ["cats", "dogs"]) await put(join(photos, name, "1.png"), await photograph(9, 9, 9));
    const net = join(folder, "net.ts");
    await Deno.writeTextFile(
      net,
      dying("images/worker", `self.addEventListener("message", () => self.close());`),
    );
    const settings = ["--model", net, "--data", photos, "--input", "3x16x16", "--batch-size", "1"];
    const { code, stderr } = await run(...settings, "--output", join(folder, "run"));
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^error: a worker that decodes images died: it ended without a word$/m);
    assert.doesNotMatch(stderr, /^\s+at /m);
  });
});

Deno.test(
  "SIGTERM while the network is tested, and a second one: the run goes on exactly",
  onlyUnix,
  async () => {
    await withCifar(async (small, folder) => {
      const settings = [...small, "--epochs", "6", "--print-every", "1"];
      const [output, whole] = [join(folder, "run"), join(folder, "whole")];
      const tested = await runUntil(
        [...settings, "--output", output],
        /Epoch \[2\/6\], Step \[4\/4\]/,
        (child) => {
          child.kill("SIGTERM");
        },
      );
      assert.equal(tested.code, 143, tested.complaint);
      assert.match(tested.printed, /^Stopped in epoch \d+ after step \d of 4; nothing is lost\.$/m);
      const twice = await runUntil(
        [...small.slice(0, 2), "--resume", output, "--print-every", "1"],
        /Step \[2\/4\]/,
        (child) => {
          child.kill("SIGTERM");
          child.kill("SIGINT");
        },
      );
      assert.ok([130, 143].includes(twice.code), twice.complaint);
      assert.equal((await resume(small, output)).code, 0);
      assert.equal((await run(...settings, "--output", whole)).code, 0);
      assert.deepEqual(await lastOf(output), await lastOf(whole));
    });
  },
);

/** Whether util-linux's `script` is there, which gives a command a terminal. */
const withTerminal = Deno.build.os === "linux" && await new Deno.Command("script", { args: ["--version"] })
  .output().then(({ success }) => success, () => false);

Deno.test(
  "a terminal that is closed ends a run with a checkpoint and 129",
  { ignore: !withTerminal },
  async () => {
    await withCifar(async (small, folder) => {
      const [output, code] = [join(folder, "run"), join(folder, "code")];
      const args = [...small, "--epochs", "100000", "--max-time", "5m", "--output", output, "--no-pictures"];
      const train = [Deno.execPath(), "run", "-P", "train.ts", ...args].join(" ");
      // A shell hands on what it is told, as an interactive one does; the first wait ends with that.
      const shell = `trap 'kill -HUP $!' HUP; ${train} & wait $!; wait $!; echo $? > ${code}`;
      const terminal = new Deno.Command("script", {
        args: ["-qec", shell, "/dev/null"],
        cwd: root,
        env: { SHELL: "/bin/sh", TERM: "dumb" },
        stdin: "null",
        stdout: "null",
      }).spawn();
      await until(() => thereIs(join(output, "log.csv")));
      terminal.kill("SIGKILL");
      await terminal.status;
      await until(() => thereIs(code));
      assert.equal((await Deno.readTextFile(code)).trim(), "129");
      assert.ok((await lastOf(output)) instanceof Map);
    });
  },
);

function thereIs(file: string): boolean {
  try {
    return Deno.statSync(file).size > 0;
  } catch {
    return false;
  }
}

/** Waits for at most two minutes: machines may be busy. */
async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1200 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(holds());
}
