import { setTimeout as wait } from 'node:timers/promises';
import { addMember, otherMembers, removeMember } from './members.js';
import { isRunning } from './process-identity.js';
import { isSame, ownerOf, type SharedServers, type StateLock, type StateOwner, type StateRole, takeStateFolder } from './state-lock.js';

export interface EntranceRequest {
  readonly stateFolder: string;
  readonly role: StateRole;
  /** True: a server is not named by a variable, so that the owner's is needed. */
  readonly needsOwner: boolean;
  /** Called once when the owner is still starting or stopping. */
  readonly onWait: (owner: StateOwner) => void;
  readonly signal: AbortSignal;
}

/** This process in a state folder. `name` is its own. */
export type Entrance =
  | { readonly as: 'owner'; readonly name: string; readonly lock: StateLock }
  | { readonly as: 'joined'; readonly name: string; readonly owner: StateOwner; readonly shared: SharedServers };

const lookEveryMs = 100;

/**
 * The first process owns the folder and its servers; further ones, with a part of the work each, join it once its servers run. A whole server
 * joins nobody.
 *
 * @returns the owner, when this process is a whole server and the folder has one
 */
export async function enterStateFolder(request: EntranceRequest): Promise<Entrance | { readonly as: 'refused'; readonly owner: StateOwner }> {
  const { stateFolder, role, needsOwner, signal } = request;
  let waited = false;
  for (;;) {
    signal.throwIfAborted();
    const taken = takeStateFolder(stateFolder, role);
    if ('lock' in taken) return { as: 'owner', name: addMember(stateFolder, { role, joined: false }), lock: taken.lock };
    const { owner } = taken;
    if (role === 'all') return { as: 'refused', owner };
    if (serves(owner)) {
      const name = addMember(stateFolder, { role, joined: needsOwner });
      // Looked at again behind the entry: an owner that stops waits for those it finds entered.
      const now = ownerOf(stateFolder);
      if (now !== null && isSame(now, owner) && serves(now)) return { as: 'joined', name, owner: now, shared: now.shared };
      removeMember(stateFolder, name);
    }
    if (!waited) request.onWait(owner);
    waited = true;
    await wait(lookEveryMs);
  }
}

function serves(owner: StateOwner): owner is StateOwner & { readonly shared: SharedServers } {
  return owner.shared !== null && !owner.stopping;
}

/** Calls `onEnd` once when the owner stops its servers or is gone; ends with `signal`. */
export function watchOwner(stateFolder: string, owner: StateOwner, onEnd: () => void, signal: AbortSignal): void {
  const timer = setInterval(() => {
    const now = ownerOf(stateFolder);
    if (isRunning(owner) && (now === null || (isSame(now, owner) && !now.stopping))) return;
    clearInterval(timer);
    onEnd();
  }, lookEveryMs);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/** Resolves when no process uses the servers of this one any more. */
export async function joinedProcessesEnd(stateFolder: string): Promise<void> {
  while (otherMembers(stateFolder).some(({ joined }) => joined)) await wait(lookEveryMs);
}
