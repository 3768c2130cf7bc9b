-- What a sandbox uses, as the page shows it: {cpu_pct, memory_mb, disk_mb, at} from a provider's running figures.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local sys = require "gander.sys"

local M = {}

-- -> usage, or the last one when the provider cannot say. `cpu_ms` is kept for the next difference.
function M.sample(project, provider, ctx)
  local last = project.sandbox.usage
  local raw = provider.usage and provider.usage(ctx)
  if not raw then return last end
  local now = sys.now()
  local usage = { at = date(now), cpu_ms = raw.cpu_ms, memory_mb = raw.memory_mb, disk_mb = raw.disk_mb }
  if last and last.cpu_ms and raw.cpu_ms and now > last.at.ms then
    usage.cpu_pct = math.floor(1000 * math.max(0, raw.cpu_ms - last.cpu_ms) / (now - last.at.ms) + 0.5) / 10
  end
  return usage
end

return M
