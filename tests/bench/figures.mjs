// What the benches share: percentiles, and a figure a line. They print; nothing here judges.
// SPDX-License-Identifier: Apache-2.0
export function percentile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))];
}

export const milliseconds = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

// A line of the report: name, value, and how it was measured.
export function figure(name, value, note = "") {
  console.log(`${name.padEnd(40)}${String(value).padStart(14)}${note && `   ${note}`}`);
}

export function spread(name, values, note = "") {
  figure(name, `${milliseconds(percentile(values, 50))}`, `p95 ${milliseconds(percentile(values, 95))}, max ${milliseconds(Math.max(...values))}, ${values.length} times${note && `, ${note}`}`);
}
