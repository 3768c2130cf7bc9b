// What the text in the editor would decide for the projects that are there now; nothing is done.
// SPDX-License-Identifier: Apache-2.0
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { json, path } from "@/api/client";
import { ApiError } from "@/api/errors";
import { useProjects } from "@/api/hooks";
import type { DryItem, DryVerdict, Page } from "@/api/schema";
import { lastUser } from "@/lib/session";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Bones, ErrorNote } from "@/ui/Notes";
import { changesOf, nameOf, summary } from "./dry";

interface Props {
  decision: string;
  name: string;
  text: string;
  close(): void;
}

export function DryRun({ decision, name, text, close }: Props) {
  const [every, setEvery] = useState(false);
  const projects = useProjects(lastUser()).data;
  const run = useInfiniteQuery({
    queryKey: ["dry-run", decision, name, text],
    queryFn: ({ pageParam, signal }) =>
      json<Page<DryItem>>("POST", path`/api/policies/${decision}/${name}/dry-run`, {
        query: { after: pageParam },
        body: { text },
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    staleTime: 0,
    gcTime: 0,
  });
  const items = run.data?.pages.flatMap((p) => p.items) ?? [];
  const changes = changesOf(items);
  const shown = every ? items : changes;
  const faults = run.error instanceof ApiError ? run.error.details.filter((d) => d.file) : [];
  const missing = run.error instanceof ApiError && run.error.status === 404;
  return (
    <Dialog
      open
      onOpenChange={close}
      title={`Dry run of ${decision}/${name}`}
      description="The text in the editor, asked about each project as it is now. Nothing is done."
      wide
    >
      {run.isPending && <Bones />}
      <ErrorNote error={missing ? "This host cannot try a rule." : run.error} />
      {faults.length > 0 && (
        <ul className="mt-2 flex flex-col gap-1 font-mono text-red text-sm">
          {faults.map((f) => (
            <li key={`${f.line}:${f.message}`}>
              {f.file}:{f.line}: {f.message}
            </li>
          ))}
        </ul>
      )}
      {run.data && (
        <div className="flex flex-col gap-3">
          <p aria-live="polite">{summary(items)}</p>
          {items.length > changes.length && (
            <label className="flex min-h-7 items-center gap-2 text-sm">
              <input type="checkbox" checked={every} onChange={(e) => setEvery(e.target.checked)} />
              Show those that stay the same
            </label>
          )}
          {shown.length > 0 && (
            <div className="overflow-x-auto" tabIndex={0} role="group" aria-label="Verdicts">
              <table className="w-full text-left text-sm">
                <thead className="text-muted">
                  <tr>
                    <th className="py-1 pr-3 font-medium">Project</th>
                    <th className="py-1 pr-3 font-medium">Now</th>
                    <th className="py-1 font-medium">With this text</th>
                  </tr>
                </thead>
                <tbody>
                  {shown.map((item) => (
                    <tr key={item.project_id} className="border-line border-t align-top">
                      <th scope="row" className="py-1.5 pr-3 font-medium" dir="auto">
                        {nameOf(item, projects)}
                      </th>
                      <td className="py-1.5 pr-3">
                        <Verdict of={item.before} />
                      </td>
                      <td className="py-1.5">
                        <Verdict of={item.after} strong={item.differs} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {run.hasNextPage && (
            <Button
              size="small"
              className="self-start"
              busy={run.isFetchingNextPage}
              onClick={() => void run.fetchNextPage()}
            >
              More projects
            </Button>
          )}
        </div>
      )}
    </Dialog>
  );
}

function Verdict({ of: v, strong }: { of?: DryVerdict | null; strong?: boolean }) {
  if (!v?.verdict && !v?.failed) return <span className="text-muted">no opinion</span>;
  return (
    <>
      <span className={v.failed ? "font-medium text-red" : strong ? "font-medium text-amber" : "font-medium"}>
        {v.failed ? "fails" : v.verdict?.replace("_", " ")}
      </span>{" "}
      <span className="text-muted">{v.reason}</span>
    </>
  );
}
