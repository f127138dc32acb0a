/// <reference lib="dom" />
/** The demo page: finds what can compute here, and starts both parts. */
import { findDevices } from "./backends.ts";
import { startClassifying } from "./classify.ts";
import { find, kindly, notice, option } from "./dom.ts";
import { startTraining } from "./train.ts";

async function open(): Promise<void> {
  const { usable, without } = await findDevices();
  const chosen = find<HTMLSelectElement>("backend");
  chosen.append(...usable.map(({ name, label }) => option(name, label)));
  notice("without", without ?? "");
  const device = () => usable.find(({ name }) => name === chosen.value)!;
  chosen.addEventListener("change", startClassifying(device));
  startTraining(device);
}

try {
  await open();
} catch (error) {
  notice("page-notice", kindly(error));
  document.querySelector("main")!.remove();
}
