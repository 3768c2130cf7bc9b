-- The entries of an egress list: hosts and networks. Pure; read by the check of a project and by providers.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

M.ENTRIES_MAX = 256

-- An IPv4 address or network: 192.0.2.7, 192.0.2.0/24.
function M.is_cidr(text)
  local a, b, c, d, bits = text:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)/?(%d*)$"
  if not a or text:find "/$" or (bits ~= "" and tonumber(bits) > 32) then return false end
  return tonumber(a) < 256 and tonumber(b) < 256 and tonumber(c) < 256 and tonumber(d) < 256
end

-- A host name, or *.host for all below it.
function M.is_host(text)
  local name = text:gsub("^%*%.", "")
  return #text <= 253
    and name:find "^%w" ~= nil
    and not name:find "[^%w.-]"
    and not name:find "%.%."
    and not name:find "%f[^.\0]%d+$"
end

-- Whether an entry may stand in egress.allow or egress.deny. -> true | nil, what it must be
function M.check(what, entry)
  if M.is_cidr(entry) or what == "allow" and M.is_host(entry) then return true end
  return nil, what == "allow" and "a host, *.host or an IPv4 CIDR" or "an IPv4 CIDR"
end

return M
