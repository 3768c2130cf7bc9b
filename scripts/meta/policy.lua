---@meta policy
-- What a file under policies/ or cleanup/ is, what it is asked with, and what it may answer. Such a file sees Lua's pure
-- library and the constructors below, nothing else: no clock, no I/O, no require.
-- SPDX-License-Identifier: Apache-2.0

---policies/<decision>/<name>.lua returns one.
---@class Policy
---@field doc string one sentence, shown on the page
---@field on "admission"|"retry"|"health"|"idle"|"lifetime" the folder it lies in
---@field order? number who is asked first; equal ones by name (default 0)
---@field decide fun(facts: Facts): Verdict? nil: no opinion, the next is asked
---@field tests? {name: string, facts: table, expect: string?}[] run before it goes live; expect nil: no opinion

---cleanup/<name>.lua returns one.
---@class CleanupRule
---@field doc string one sentence, shown on the page
---@field of "log_day"|"instance"|"decision" what it is about
---@field every_s? number how often it runs (default 3600)
---@field decide fun(item: Item, facts: Facts): Verdict?
---@field tests? {name: string, item: table, facts: table?, expect: string?}[]

---What a decision rests on. Read-only; a name that is not listed here raises. Times are milliseconds since 1970, and
---what is not known is nil.
---@class Facts
---@field now integer the time of the decision
---@field random number from 0 up to 1, new for each decision: for jitter
---@field project ProjectFacts
---@field user {id: string, name: string}
---@field sandbox SandboxFacts
---@field health HealthFacts
---@field counts {total: integer, user: integer, provider: integer} other activated projects: all, this user's, this provider's
---@field attempt AttemptFacts what failed (retry)
---@field idle_ms integer since the last use; 0 while the agent runs or waits for a permission
---@field activity ActivityFacts when it was last used
---@field usage {cpu_pct: number?, memory_mb: number?, disk_mb: number?, at: integer?}
---@field settings SettingFacts the numbers of config.lua's `policy`, under the project's own settings
---@field item Item what a cleanup rule judges

---@class ProjectFacts
---@field id string
---@field name string
---@field user_id string
---@field state "inactive"|"creating"|"active"|"stopping"|"error"
---@field phase? string
---@field desired "active"|"inactive"|"deleted"
---@field provider string
---@field source? string the type of its source, when it has one of its own
---@field created_at integer
---@field active_at? integer
---@field replaced? integer sandboxes replaced for bad health since the activation or the last hour of health

---@class SandboxFacts
---@field id? string
---@field provider? string
---@field state? string the provider's word: running, stopped, missing …; unknown when it cannot say (health)
---@field created_at? integer
---@field expires_at? integer
---@field restarts? integer restarts of its server by policy

---@class HealthFacts
---@field ok? boolean
---@field failures? integer checks that failed in a row
---@field latency_ms? integer
---@field can_chat? boolean
---@field reason? string

---@class AttemptFacts
---@field n? integer failures so far, this one included
---@field code? "invalid"|"denied"|"not_found"|"conflict"|"busy"|"timeout"|"unavailable"|"internal"
---@field message? string
---@field step? string the phase that failed
---@field retry_after_ms? integer how long the provider asks to wait
---@field retryable? boolean false: known to fail again

---@class ActivityFacts
---@field chat? integer
---@field exec? integer
---@field preview? integer
---@field agent? integer
---@field running? integer runs of the agent now

---nil where nothing sets it: a policy has its own default. Another name of config.lua's `policy` can be read as well.
---@class SettingFacts
---@field idle_minutes? number stop after so long without use; 0: never
---@field max_active? integer projects that may run at the same time
---@field max_active_per_user? integer
---@field retries? integer further tries of a failed activation
---@field retry_base_ms? integer the wait before the first of them
---@field health_failures? integer failed checks in a row that call for an act
---@field max_lifetime_s? integer the most a sandbox may live
---@field timeout_s? integer of a sandbox, where its provider has a time limit
---@field queue_minutes? number how long a project waits for a place
---@field log_days? number
---@field log_mb? number
---@field decision_days? number
---@field orphan_minutes? number until a sandbox that nobody claims is removed
---@field workspace? "keep"|"discard" the files, when the project stops
---@field engine? string
---@field mode? string how the agent asks before it acts
---@field model? string
---@field egress? string|table
---@field vcpus? integer
---@field memory_mb? integer
---@field runtime? string
---@field image? string

---@class Item
---@field id string
---@field kind "log_day"|"instance"|"decision"
---@field project_id? string
---@field age_ms? integer log_day: since the day's end; decision
---@field day? string log_day: "2026-11-24"
---@field size? integer log_day: bytes, about
---@field newer? integer log_day: bytes of the days after it
---@field lines? integer log_day
---@field name? string instance: the sandbox
---@field provider? string instance
---@field state? string instance: the provider's word
---@field known? boolean instance: a project claims it
---@field project_known? boolean instance: its project is in the store
---@field orphan_ms? integer instance: since when nobody has claimed it

---@class Verdict
---@field verdict string the constructor's name
---@field reason string
---@field file string
---@field line integer

---Admission: start it.
---@param reason string 1 to 500 bytes, as all reasons
---@return Verdict
function allow(reason) end

---Admission: refuse.
---@param reason string
---@return Verdict
function deny(reason) end

---Admission: wait for a place.
---@param reason string
---@return Verdict
function queue(reason) end

---Retry: try again, after a wait in ms or at a time.
---@param at_or_ms number
---@param reason string
---@return Verdict
function retry(at_or_ms, reason) end

---Retry: it is over.
---@param reason string
---@return Verdict
function give_up(reason) end

---Health, idle, lifetime, cleanup: leave it as it is.
---@param reason string
---@param until_? number when this policy would stop it if nothing happens: shown as what comes next
---@return Verdict
function keep(reason, until_) end

---Health, idle, lifetime: stop the project.
---@param reason string
---@return Verdict
function stop(reason) end

---Health, idle, lifetime: say so on the page; it happens at `at`.
---@param at number
---@param reason string
---@return Verdict
function warn(at, reason) end

---Health: start the agent's server anew in the same sandbox.
---@param reason string
---@return Verdict
function restart(reason) end

---Health: a new sandbox for the old one.
---@param reason string
---@return Verdict
function replace(reason) end

---Lifetime: ask the provider for more time.
---@param ms number
---@param reason string
---@return Verdict
function extend(ms, reason) end

---Cleanup: remove the item.
---@param reason string
---@return Verdict
function remove(reason) end
