// What the host refused, as one value: a sentence, a code, and the fields or lines it is about.
// SPDX-License-Identifier: Apache-2.0

import type { Decision } from "./schema";

export interface Detail {
  field?: string;
  rule?: string;
  file?: string;
  line?: number;
  reason?: string;
  message?: string;
  /** The decision that refused. */
  decision?: Decision;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Detail[] = [],
    readonly requestId?: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
  /** The sentence for one form field, if the host found a fault there. */
  field(name: string): string | undefined {
    return this.details.find((d) => d.field === name || d.field?.startsWith(`${name}.`))?.message;
  }
}

/** Reads a refusal; a body that is not ours (a proxy's page) still makes a sentence. */
export async function readError(res: Response): Promise<ApiError> {
  const text = await res.text().catch(() => "");
  try {
    const { error } = JSON.parse(text) as {
      error: { code: string; message: string; request_id?: string; details?: Detail[] };
    };
    return new ApiError(res.status, error.code, error.message, error.details ?? [], error.request_id);
  } catch {
    return new ApiError(res.status, "internal", `The host answered ${res.status} ${res.statusText}.`);
  }
}

export function sentence(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  if (error instanceof TypeError) return "The host cannot be reached. Check that gander is running.";
  return error instanceof Error ? error.message : String(error);
}
