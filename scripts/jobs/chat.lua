-- Events of the chat sessions, batch by batch, from the sandboxes into the store (lib/sessions/intake).
--
-- A stream that ended on a refusal is one of a server that does not know the session: a run that went on in it is lost.
-- SPDX-License-Identifier: Apache-2.0
local ending = require "lib.sessions.ending"
local intake = require "lib.sessions.intake"
local sessions = require "lib.sessions"

local LOST = "The agent's server lost this conversation while the answer was being written."

-- follow -> {key, data = {session_id, project_id, sandbox_id}, items, cursor, ended, error?}
local function batch(call)
  local id = call.data.session_id
  if not intake.batch(id, call.items) then return { stop = true } end
  if call.ended and call.error then
    local session = sessions.get(id)
    if
      session
      and not session.outbox
      and sessions.RUNNING[session.status]
      and session.sandbox_id == call.data.sandbox_id
    then
      ending.interrupt(id, LOST)
    end
  end
  return nil
end

return { doc = "Folds the events of a chat session into the store.", batch = batch }
