-- Events of the chat sessions, batch by batch, from the sandboxes into the store (lib/sessions/intake).
-- SPDX-License-Identifier: Apache-2.0
local intake = require "lib.sessions.intake"

-- follow -> {key, data = {session_id, …}, items, cursor, ended, error?}
local function batch(call)
  if not intake.batch(call.data.session_id, call.items) then
    return { stop = true }
  end
  return nil
end

return { doc = "Stores what follow read from a sandbox, batch by batch.", batch = batch }
