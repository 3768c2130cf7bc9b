-- A provider for specs: no process, no wait, every effect counted by sandbox name.
--
-- fake.new{} -> {provider, effects, boxes, fail}. `effects["create gander-…-1"]` counts what really happened (a repeat
-- that finds its work done is no effect); `calls` counts every call. `fail.<function>` = {message=, code=, times=, extra=}
-- makes the next calls fail; `after.<function>` is run after the effect and before the answer: a crash raises there.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

local function bump(map, key)
  map[key] = (map[key] or 0) + 1
end

function M.new(options)
  options = options or {}
  local self = { effects = {}, calls = {}, boxes = {}, workspaces = {}, fail = {}, after = {}, answers = true }

  -- Count the call; -> nil, message, code, extra when it is to fail.
  local function enter(name)
    bump(self.calls, name)
    local fault = self.fail[name]
    if fault and (fault.times or 1) > 0 then
      fault.times = (fault.times or 1) - 1
      return nil, fault.message or "it failed", fault.code or "unavailable", fault.extra
    end
    return true
  end

  local function leave(name, ...)
    local hook = self.after[name]
    if hook then hook() end
    return ...
  end

  local p = {
    kind = "fake",
    capabilities = {
      sources = options.sources or { builtin = true, git = true },
      snapshot = false,
      extend = true,
      isolation = function()
        return { tier = "fake", statement = "Nothing runs at all." }
      end,
    },
  }

  function p.create(ctx)
    local ok, message, code, extra = enter "create"
    if not ok then return nil, message, code, extra end
    local box = self.boxes[ctx.name]
    if box and box.installation ~= ctx.label.installation then
      return nil, "the name is taken by another installation", "conflict"
    elseif not box then
      box = { state = "running", steps = {}, installation = ctx.label.installation, project = ctx.label.project }
      self.boxes[ctx.name] = box
      self.workspaces[ctx.label.project] = true
      bump(self.effects, "create " .. ctx.name)
    end
    return leave("create", { id = "i-" .. ctx.name, state = box.state })
  end

  function p.put(ctx, files)
    local ok, message, code = enter "put"
    if not ok then return nil, message, code end
    self.boxes[ctx.name].files = #files
    bump(self.effects, "put " .. ctx.name)
    return leave("put", true)
  end

  function p.start(ctx, command)
    local ok, message, code, extra = enter "start"
    if not ok then return nil, message, code, extra end
    local steps = self.boxes[ctx.name].steps
    if not steps[command.step] then
      steps[command.step] = { argv = command.argv, env = command.env, exit = command.step == "install" and 0 or nil }
      bump(self.effects, command.step .. " " .. ctx.name)
    end
    return leave("start", { command_id = command.step })
  end

  function p.status(ctx, step)
    local ok, message, code = enter "status"
    if not ok then return nil, message, code end
    local box = self.boxes[ctx.name]
    if not box then return nil, "there is no such sandbox", "not_found" end
    local command = step and box.steps[step]
    return { state = box.state, exit = command and command.exit or box.exit }
  end

  function p.endpoint(ctx)
    local ok, message, code = enter "endpoint"
    if not ok then return nil, message, code end
    return { url = "http://fake/" .. ctx.name }
  end

  function p.stop(ctx)
    local ok, message, code = enter "stop"
    if not ok then return nil, message, code end
    local box = self.boxes[ctx.name]
    if not box then
      return nil, "there is no such sandbox", "not_found"
    elseif box.state == "running" then
      box.state = "stopped"
      bump(self.effects, "stop " .. ctx.name)
    end
    return leave("stop", {})
  end

  function p.destroy(ctx)
    local ok, message, code = enter "destroy"
    if not ok then return nil, message, code end
    if self.boxes[ctx.name] then
      self.boxes[ctx.name] = nil
      bump(self.effects, "destroy " .. ctx.name)
    end
    return leave("destroy", true)
  end

  function p.remove_workspace(project)
    local ok, message, code = enter "remove_workspace"
    if not ok then return nil, message, code end
    self.workspaces[project._id] = nil
    return leave("remove_workspace", true)
  end

  function p.extend(ctx, ms)
    local ok, message, code = enter "extend"
    if not ok then return nil, message, code end
    return { expires_at = self.boxes[ctx.name] and ms }
  end

  function p.list()
    local ok, message, code = enter "list"
    if not ok then return nil, message, code end
    local items = {}
    for name, box in pairs(self.boxes) do
      items[#items + 1] = {
        name = name,
        label = { installation = box.installation },
        project_id = box.project,
        state = box.state,
      }
    end
    return items
  end

  function p.workspaces()
    local items = {}
    for id in pairs(self.workspaces) do
      items[#items + 1] = { project_id = id, path = "fake/" .. id }
    end
    return items
  end

  function p.usage()
    return { cpu_ms = 1, memory_mb_ms = 1 }
  end

  -- What stands in for gander.http's request: /health of a box whose server was started.
  function self.request(request)
    local name = request.url:match "^http://fake/(.-)/health$"
    local box = name and self.boxes[name]
    local started = false
    for step in pairs(box and box.steps or {}) do
      started = started or step:find "^start" ~= nil
    end
    if not (box and box.state == "running" and started and self.answers) then
      return nil, "connection refused", "unavailable"
    end
    local body =
      '{"status":"ok","engine":"echo","can_chat":true,"instance_id":"s-1","model":{"name":"demo","demo":true}}'
    return { status = 200, headers = {}, body = body, ms = 1 }
  end

  self.provider = p
  return self
end

return M
