// Class names joined; later Tailwind classes win over earlier ones of the same kind.
// SPDX-License-Identifier: Apache-2.0
import { twMerge } from "tailwind-merge";

export function cn(...classes: (string | false | null | undefined)[]): string {
  return twMerge(classes.filter(Boolean).join(" "));
}
