// A labelled control with its fault beside it, tied together for a screen reader.
// SPDX-License-Identifier: Apache-2.0
import { type ComponentProps, type ReactElement, type ReactNode, useId } from "react";
import { cn } from "@/lib/cn";

interface Props {
  label: string;
  hint?: ReactNode;
  fault?: string;
  children(props: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }): ReactElement;
}

export function Field({ label, hint, fault, children }: Props) {
  const id = useId();
  const note = fault || hint ? `${id}-note` : undefined;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium text-sm">
        {label}
      </label>
      {children({ id, "aria-describedby": note, "aria-invalid": fault ? true : undefined })}
      {(fault || hint) && (
        <p
          id={note}
          className={cn("text-sm", fault ? "text-red" : "text-muted")}
          role={fault ? "alert" : undefined}
        >
          {fault ?? hint}
        </p>
      )}
    </div>
  );
}

const box =
  "w-full rounded-md border border-edge bg-bg px-2 outline-offset-0 aria-[invalid]:border-red disabled:opacity-60";

export const Input = ({ className, ...rest }: ComponentProps<"input">) => (
  <input className={cn(box, "h-8 max-sm:h-10", className)} autoComplete="off" {...rest} />
);
export const Area = ({ className, ...rest }: ComponentProps<"textarea">) => (
  <textarea className={cn(box, "py-1.5", className)} {...rest} />
);
export const Choice = ({ className, ...rest }: ComponentProps<"select">) => (
  <select className={cn(box, "h-8 max-sm:h-10", className)} {...rest} />
);
