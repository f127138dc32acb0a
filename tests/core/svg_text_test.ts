import assert from "node:assert/strict";
import fc from "fast-check";
import { escaped, shortened, widthOf } from "../../core/svg_text.ts";

Deno.test("a long text is shortened in its middle, by how wide its letters are", () => {
  assert.equal(shortened("IMG_0001", 10), "IMG_0001");
  assert.equal(shortened("2954292483_f301e47fbf", 9), "2954292…e47fbf");
  assert.ok([...shortened("i".repeat(99), 9)].length > [...shortened("W".repeat(99), 9)].length * 2);
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme-ascii", maxLength: 80 }),
      fc.integer({ min: 3, max: 30 }),
      (text, width) => {
        const short = shortened(text, width);
        assert.ok(widthOf(short) <= width);
        if (short === text) return;
        const [start, end] = short.split(/…(?=[^…]*$)/) as [string, string];
        assert.ok(text.startsWith(start) && text.endsWith(end) && start.length + end.length < text.length);
      },
    ),
  );
});

Deno.test("what XML has no place for is replaced, not passed on", () => {
  assert.equal(
    escaped("<a & b>\t\n\x01\x1b[31m \ud800 \uffff 犬"),
    "&lt;a &amp; b&gt;\t\n\ufffd\ufffd[31m \ufffd \ufffd 犬",
  );
});
