// The rules: the tree of scripts, the editor, and which generation is live.
// SPDX-License-Identifier: Apache-2.0
import { FilePlus2, FolderTree } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { sentence } from "@/api/errors";
import { useAway, useScript, useScripts } from "@/api/hooks";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Bones, Empty, ErrorNote } from "@/ui/Notes";
import { ScriptEditor } from "./ScriptEditor";
import { Tree } from "./Tree";

const NewScript = lazy(() => import("./NewScript"));

export default function PoliciesView({ file, line }: { file: string; line?: number }) {
  const scripts = useScripts();
  const [tree, setTree] = useState(false);
  const [fresh, setFresh] = useState(false);
  const away = useAway();
  const known = scripts.data?.items.find((s) => s.path === file);
  return (
    <div className="flex min-h-0 grow">
      <div className="hidden w-72 shrink-0 flex-col overflow-auto border-line border-r md:flex">
        <Tree current={file} />
      </div>
      <section aria-label="Policies" className="flex min-h-0 min-w-0 grow flex-col">
        <header className="flex items-center gap-3 border-line border-b px-4 py-2">
          <Button
            kind="quiet"
            size="icon"
            className="md:hidden"
            aria-label="All scripts"
            onClick={() => setTree(true)}
          >
            <FolderTree size={16} aria-hidden />
          </Button>
          <div className="min-w-0 grow">
            <h1 className="truncate font-semibold">
              {file ? <span className="font-mono text-sm">{file}</span> : "Policies"}
            </h1>
            {known?.doc && <p className="truncate text-muted text-sm">{known.doc}</p>}
          </div>
          <Button size="small" blocked={away} onClick={() => setFresh(true)}>
            <FilePlus2 size={14} aria-hidden /> New script
          </Button>
        </header>
        {file ? (
          <File key={file} file={file} line={line} />
        ) : (
          <Empty title="Rules, live as you save them">
            Each file decides one thing: who may start a sandbox, how long it lives, when it is retried. Pick
            one to read or change it.
          </Empty>
        )}
      </section>
      {fresh && (
        <Suspense>
          <NewScript folder={file.slice(0, file.lastIndexOf("/"))} close={() => setFresh(false)} />
        </Suspense>
      )}
      <Dialog open={tree} onOpenChange={setTree} title="Scripts">
        <Tree current={file} onPick={() => setTree(false)} />
      </Dialog>
    </div>
  );
}

function File({ file, line }: { file: string; line?: number }) {
  const script = useScript(file);
  if (script.isPending) return <Bones lines={10} />;
  if (!script.data) return <ErrorNote error={sentence(script.error)} className="m-4" />;
  return <ScriptEditor file={file} stored={script.data} line={line} />;
}
