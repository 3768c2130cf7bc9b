// Small parts that say something: an error where it happened, an empty place, a loading shape, a time, a key.
// SPDX-License-Identifier: Apache-2.0
import { Check, Copy as CopyIcon, TriangleAlert } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { sentence } from "@/api/errors";
import { useNow } from "@/lib/clock";
import { cn } from "@/lib/cn";
import { exact, relative } from "@/lib/time";
import { Button } from "./Button";

export function ErrorNote({
  error,
  children,
  className,
}: {
  error: unknown;
  children?: ReactNode;
  className?: string;
}) {
  if (!error) return null;
  return (
    <div
      role="alert"
      className={cn("flex items-start gap-2 rounded-md bg-red-soft px-3 py-2 text-red", className)}
    >
      <TriangleAlert size={16} className="mt-0.5 shrink-0" aria-hidden />
      <div className="min-w-0 grow break-words">{typeof error === "string" ? error : sentence(error)}</div>
      {children}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 px-6 py-12 text-center">
      <p className="font-medium">{title}</p>
      <div className="max-w-md text-muted">{children}</div>
    </div>
  );
}

/** Lines of the shape that will come. */
export function Bones({ lines = 3, className }: { lines?: number; className?: string }) {
  return (
    <div className={cn("flex flex-col gap-3 p-4", className)} aria-hidden="true">
      {Array.from({ length: lines }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <div key={i} className="skeleton h-4" style={{ width: `${88 - ((i * 23) % 45)}%` }} />
      ))}
    </div>
  );
}

export function Ago({ at, className }: { at: string; className?: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={exact(at)} className={cn("tnum", className)}>
      {relative(at, now)}
    </time>
  );
}

export function Copy({
  text,
  label = "Copy",
  className,
}: {
  text: string | (() => string);
  label?: string;
  className?: string;
}) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const t = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(t);
  }, [done]);
  return (
    <Button
      kind="quiet"
      size="small"
      className={className}
      aria-label={done ? "Copied" : label}
      title={label}
      onClick={() =>
        void navigator.clipboard
          ?.writeText(typeof text === "string" ? text : text())
          .then(() => setDone(true))
      }
    >
      {done ? <Check size={14} aria-hidden /> : <CopyIcon size={14} aria-hidden />}
    </Button>
  );
}

export function Badge({
  tone = "grey",
  children,
  title,
}: {
  tone?: "grey" | "amber" | "red" | "blue" | "green";
  children: ReactNode;
  title?: string;
}) {
  const tones = {
    grey: "bg-hover text-muted",
    amber: "bg-amber-soft text-amber",
    red: "bg-red-soft text-red",
    blue: "bg-blue-soft text-blue",
    green: "bg-green-soft text-green",
  };
  return (
    <span
      title={title}
      className={cn("inline-flex h-5 shrink-0 items-center rounded px-1.5 font-medium text-xs", tones[tone])}
    >
      {children}
    </span>
  );
}
