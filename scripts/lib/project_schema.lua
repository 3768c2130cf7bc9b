-- What a project may be: the schemas of its fields, and the rules that go beyond a schema. Pure.
-- SPDX-License-Identifier: Apache-2.0
local S = require "lib.schema"
local egress = require "lib.egress"

local M = {}

M.HIDDEN = "***"

local NO_CONTROL = "^[^%c]*$"
local LINE = { pattern = NO_CONTROL, hint = "must not have control characters" }

local function line(min, max)
  return S.string { min = min, max = max, pattern = LINE.pattern, hint = LINE.hint }
end

local NAME = S.string { min = 1, max = 64, trim = true, pattern = NO_CONTROL, hint = LINE.hint }
local DESCRIPTION = S.string { max = 500, pattern = "^[^%z\1-\8\11-\31\127]*$", hint = LINE.hint }
local ARGV =
  S.array(S.string { min = 1, max = 4096, pattern = "^[^%z]*$", hint = "must not have a NUL" }, { min = 1, max = 64 })
local URL = S.string {
  min = 1,
  max = 2000,
  pattern = "^[^%-%s%c][^%s%c\"'\\]*$",
  hint = "must be a URL without blanks, quotes or a leading dash",
}
local PATH = S.string {
  max = 400,
  pattern = "^[%w._][%w._/ -]*$",
  hint = "must be a path within the source, such as apps/api",
}

local function source(type, fields)
  fields.type = S.string { enum = { type } }
  return S.object(fields)
end

local SOURCE = S.one_of({
  source("builtin", {}),
  source("git", {
    url = URL,
    revision = S.optional(S.string {
      min = 1,
      max = 200,
      pattern = "^%w[%w._/-]*$",
      hint = "must be a branch, a tag or a commit",
    }),
    username = S.optional(line(1, 200)),
    password = S.optional(line(1, 2000)),
    directory = S.optional(PATH),
    install = S.optional(ARGV),
    start = S.optional(ARGV),
  }),
  source("tarball", { url = URL, install = S.optional(ARGV), start = S.optional(ARGV) }),
  source("image", { image = line(1, 500), start = S.optional(ARGV) }),
  source("snapshot", { snapshot_id = line(1, 200) }),
}, { by = "type" })

local SETTINGS = S.object {
  engine = S.optional(S.string { enum = { "auto", "goose", "echo" } }),
  mode = S.optional(S.string { enum = { "approve", "smart_approve", "auto", "chat" } }),
  model = S.optional(line(1, 200)),
  env = S.optional(S.map(S.string { max = 32768, pattern = "^[^%z]*$", hint = "must not have a NUL" }, {
    max = 200,
    key_pattern = "^[A-Za-z_][A-Za-z0-9_]*$",
  })),
  egress = S.optional(S.one_of {
    S.string { enum = { "allow", "deny" } },
    S.object {
      allow = S.optional(S.array(line(1, 253), { max = 200 })),
      deny = S.optional(S.array(line(1, 100), { max = 200 })),
    },
  }),
  vcpus = S.optional(S.integer { min = 1, max = 64 }),
  memory_mb = S.optional(S.integer { min = 64, max = 1048576 }),
  timeout_s = S.optional(S.integer { min = 60, max = 86400 }),
  idle_minutes = S.optional(S.number { min = 0, max = 525600 }),
  workspace = S.optional(S.string { enum = { "keep", "discard" } }),
  runtime = S.optional(line(1, 100)),
  image = S.optional(line(1, 500)),
}

local WHOLE = {
  name = NAME,
  description = S.optional(DESCRIPTION),
  source = S.optional(SOURCE),
  settings = S.optional(SETTINGS),
}

-- The body of POST, and that of PUT and PATCH: those are checked when they were laid over what is there.
M.create = S.object {
  name = NAME,
  description = WHOLE.description,
  source = WHOLE.source,
  settings = WHOLE.settings,
  provider = S.optional(S.string { min = 1, max = 64 }),
}
local ANY = S.optional(S.any {})
M.change = S.object { name = ANY, description = ANY, source = ANY, settings = ANY }

local function fault(faults, field, rule, message)
  faults[#faults + 1] = { field = field, rule = rule, message = message }
end

local SCHEMES = { git = { https = true, ssh = true, git = true }, tarball = { https = true } }

local function check_url(from, faults)
  local schemes = SCHEMES[from.type]
  if not schemes then return end
  local scheme, authority = from.url:match "^(%a[%w+.-]*)://([^/?#]*)"
  if not scheme and from.type == "git" and from.url:find "^[%w._-]+@[%w.-]+:[^:]" then
    return -- git@host:path
  elseif not scheme or not schemes[scheme:lower()] then
    local takes = from.type == "git" and "https://, ssh:// and git:// URLs and user@host:path" or "https:// URLs"
    return fault(faults, "source.url", "scheme", "only " .. takes .. " are fetched")
  elseif authority:gsub("^.*@", "") == "" or authority:find "^%-" or authority:find "@%-" then
    return fault(faults, "source.url", "host", "names no host")
  elseif authority:find ":.*@" then
    return fault(faults, "source.url", "password", "must not hold a password; give it as source.password")
  end
end

local function check_directory(from, faults)
  if from.directory and ("/" .. from.directory .. "/"):find "/%.%./" then
    fault(faults, "source.directory", "path", "must stay within the source")
  end
end

local function check_egress(list, faults)
  for _, what in ipairs { "allow", "deny" } do
    for i, entry in ipairs(list[what] or {}) do
      local ok, wanted = egress.check(what, entry)
      if not ok then
        fault(faults, "settings.egress." .. what .. "[" .. i - 1 .. "]", "egress", "must be " .. wanted)
      end
    end
  end
end

local function check_settings(settings, faults)
  if type(settings.egress) == "table" then check_egress(settings.egress, faults) end
  if settings.vcpus and settings.vcpus > 1 and settings.vcpus % 2 == 1 then
    fault(faults, "settings.vcpus", "even", "must be 1 or an even number")
  end
  local size = 0
  for name, value in pairs(settings.env or {}) do
    size = size + #name + #value
    if name:find "^GOOSE_API_" then fault(faults, "settings.env." .. name, "reserved", "is set by Gander itself") end
  end
  if size > 131072 then fault(faults, "settings.env", "max", "must have at most 128 KiB in all") end
end

-- Check a whole project {name, description?, source?, settings?}. -> the clean one | nil, faults
function M.check(whole)
  local out, faults = S.check(S.object(WHOLE), whole)
  if not out then return nil, faults end
  faults = {}
  if out.source then
    check_url(out.source, faults)
    check_directory(out.source, faults)
  end
  check_settings(out.settings or {}, faults)
  if #faults > 0 then return nil, faults end
  return out
end

return M
