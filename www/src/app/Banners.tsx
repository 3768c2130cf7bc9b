// What every view must say: the host is away, a newer page is there, a script on disk is broken.
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { dangers, useScripts, useStream, useSystem } from "@/api/hooks";
import { hostAlerts } from "@/api/live";
import { paths } from "@/lib/session";
import { clockSeconds } from "@/lib/time";
import { Button } from "@/ui/Button";

export function Banners() {
  const stream = useStream();
  const scripts = useScripts();
  const newer = useNewerVersion();
  const system = useSystem();
  const error = scripts.data?.error;
  return (
    <div role="status" aria-live="polite">
      {stream.status === "away" && (
        <p className="border-line border-b bg-amber-soft px-4 py-1.5 text-amber">
          Reconnecting. What you see is from <time className="tnum">{clockSeconds(stream.heardAt)}</time>.
        </p>
      )}
      {newer && (
        <p className="flex items-center gap-3 border-line border-b bg-blue-soft px-4 py-1 text-blue">
          <span>The host is now version {newer}.</span>
          <Button size="small" onClick={() => location.reload()}>
            Reload the page
          </Button>
        </p>
      )}
      {system.data && dangers(system.data).open && (
        <p className="border-line border-b bg-red-soft px-4 py-1.5 text-red">
          Anyone who reaches this address can act here: the network is trusted and nobody signs in.
        </p>
      )}
      {error && (
        <p className="border-line border-b bg-red-soft px-4 py-1.5 text-red">
          {error.file ? (
            <Link href={paths.policy(error.file, error.line)} className="underline">
              {error.file}
              {error.line ? `:${error.line}` : ""}
            </Link>
          ) : (
            "A script"
          )}
          : {error.message} Generation {scripts.data?.generation} stays in force.
        </p>
      )}
    </div>
  );
}

/** The version the host has now, once it differs from the one this page was loaded under. */
function useNewerVersion(): string | undefined {
  const system = useSystem();
  const [first, setFirst] = useState<string>();
  const version =
    system.data &&
    `${system.data.version}${system.data.commit ? ` (${system.data.commit.slice(0, 9)})` : ""}`;
  useEffect(() => {
    if (version && !first) setFirst(version);
  }, [version, first]);
  const { refetch } = system;
  useEffect(() => {
    let opened = 0;
    const again = () => {
      if (opened++ > 0) void refetch();
    };
    hostAlerts.addEventListener("opened", again);
    return () => hostAlerts.removeEventListener("opened", again);
  }, [refetch]);
  return first && version !== first ? version : undefined;
}
