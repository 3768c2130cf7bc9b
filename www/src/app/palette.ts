// Opens the palette from anywhere; its own code is loaded the first time.
// SPDX-License-Identifier: Apache-2.0
const bell = new EventTarget();

export const openPalette = () => bell.dispatchEvent(new Event("open"));
export function onPalette(run: () => void): () => void {
  bell.addEventListener("open", run);
  return () => bell.removeEventListener("open", run);
}
