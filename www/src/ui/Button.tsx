// Buttons, in four weights and two sizes. A disabled one says why.
// SPDX-License-Identifier: Apache-2.0
import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

const button = cva(
  "inline-flex items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap select-none transition-colors duration-100 disabled:opacity-55",
  {
    variants: {
      kind: {
        primary: "bg-accent text-on-accent hover:bg-accent-strong",
        plain: "border border-line bg-raised text-text hover:bg-hover",
        quiet: "text-muted hover:bg-hover hover:text-text",
        danger: "bg-red text-white hover:opacity-90 dark:text-[#2b0508]",
      },
      size: {
        normal: "h-8 px-3 max-sm:h-10",
        small: "h-7 px-2 text-sm max-sm:h-10",
        icon: "size-8 max-sm:size-10",
      },
    },
    defaultVariants: { kind: "plain", size: "normal" },
  },
);

interface Props extends ComponentProps<"button">, VariantProps<typeof button> {
  /** Why it cannot be pressed now; disables it. */
  blocked?: string;
  busy?: boolean;
}

export function Button({
  kind,
  size,
  blocked,
  busy,
  className,
  disabled,
  title,
  type = "button",
  ...rest
}: Props) {
  return (
    <button
      type={type}
      className={cn(button({ kind, size }), className)}
      disabled={disabled || busy || blocked !== undefined}
      aria-busy={busy || undefined}
      title={blocked ?? title}
      {...rest}
    />
  );
}
