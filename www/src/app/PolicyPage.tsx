// The policies at their address: the file and the line come from it.
// SPDX-License-Identifier: Apache-2.0
import { useSearchParams } from "wouter";
import { PoliciesView } from "./lazy";

export function PolicyPage({ file }: { file: string }) {
  const [search] = useSearchParams();
  const line = Number(search.get("line")) || undefined;
  return <PoliciesView file={decodeURIComponent(file)} line={line} />;
}
