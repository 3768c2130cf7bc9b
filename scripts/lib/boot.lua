-- boot: what must be well before the doors open. C calls start() once; its text is the banner.
--
-- Opens the store, knows the installation by the data directory, asks the default provider what isolation this machine
-- gives. A failure here stops the start with one sentence.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"

local M = {}

local RED, OFF = "\27[31m", "\27[0m"

local function add(lines, label, text)
  lines[#lines + 1] = string.format("  %-9s %s", label, text)
end

local function isolation_line(providers, name)
  local provider, message = providers.get(name)
  if not provider then return RED .. message .. OFF end
  local found = providers.isolation(provider)
  if not found then return "stated by the provider" end
  local line = found.tier .. ": " .. found.statement
  if found.reasons and #found.reasons > 0 then
    line = line .. "\n            (" .. table.concat(found.reasons, "; ") .. ")"
  end
  return (found.tier == "none" or found.tier == "unsafe") and RED .. line .. OFF or line
end

-- -> the banner | nil, message, code
function M.start()
  if sys.config.store.mongodb_uri then
    return nil, "MONGODB_URI is set, but this version keeps its state in SQLite only; unset it to start", "invalid"
  end
  local providers = require "lib.providers"
  local ok, id = pcall(require("lib.installation").id)
  if not ok then return nil, "the store in " .. sys.data .. " cannot be used: " .. tostring(id), "unavailable" end
  local name = providers.default()
  local lines = { "", "  Gander " .. sys.version.version }
  add(lines, "Store", "SQLite in " .. sys.data)
  add(lines, "Sandboxes", name .. ", " .. isolation_line(providers, name))
  if sys.config.trust_network then
    add(lines, "Network", RED .. "everybody who reaches this address can run code here (trust_network)" .. OFF)
  end
  return table.concat(lines, "\n")
end

return M
