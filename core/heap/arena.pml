/* arena.pml - a model of the protocol of an arena's word, for spin. arena.h describes the protocol.
 *
 * A few arenas of a few slots, two sets that want them, and threads that do one operation
 * after the other for ever, each for either set. spin visits every state that any interleaving
 * reaches. Each access to a shared word is one step, as it is one atomic operation in the library;
 * what a thread computes from it belongs to the step.
 *
 * A thread may have read a hint long ago. So a thread of the model needs no hint at all to try an
 * arena, from any step of fullness: that allows all that a stale hint could lead to, and more. For
 * the same reason a thread may take a new arena although another one is usable.
 *
 *   here                   in the library
 *   place_hint             arn_hint_place, without `first`
 *   take                   claim and claimed: one slot, or all
 *   stranger, unclaim      arn_unclaim_mistake, arn_unclaim
 *   give                   arn_arenas_give, arn_arenas_give_run; purging at once is a next operation
 *   extend                 arn_arenas_extend
 *   purge                  arn_purge_arena; the system may refuse
 *   take_run               arn_arenas_take_run, from the set's own arenas
 *   take_new               arn_take_new, from idle arenas; arn_arenas_take releases what it does not
 *                          need; arn_arenas_extend_run, which names its arenas without a hint
 *   take_fresh             claim_fresh; and the frontier that arn_arenas_extend_run moves
 *   claim_arenas, give_up  arn_claim_arenas
 *   settle                 settle, which may be refused
 *   set_idle               arn_arenas_set_idle
 *   close                  arn_arenas_close; the set is used anew then, at the same address
 *
 * What is asserted, of every state:
 *   - a slot has one owner, and its arena's home is the set it was taken for;
 *   - nobody releases a slot that somebody uses, or that was not taken;
 *   - an arena changes its home while none of its slots is in use;
 *   - a slot that is handed out as clean is; so is an idle arena;
 *   - whenever no operation is under way, what is taken is in use (nothing leaked); an arena with free
 *     slots has the hint of its step; an idle one has the idle hint. There may be more hints: one that
 *     is stale is cleared by who follows it.
 *
 * Not modelled: the order of memory (spin knows interleavings of sequentially consistent steps only;
 * where the library asks for less, the comment there says why), the hints of dirty slots, arenas that
 * are left over when a run is aligned, the system's calls, statistics, the textbook's order, fork, and
 * whether an operation comes to an end.
 *
 *   spin -a -DSLOTS=2 arena.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m2000000
 *
 * tests/models/arena.sh does it for the sizes that take seconds. Each BREAK_... breaks one rule of the
 * protocol; the test demands that an assertion fails then. For a short trail to an error add -DBFS.
 */
#ifndef THREADS
#define THREADS 2
#endif
#ifndef ARENAS
#define ARENAS 1
#endif
#ifndef SLOTS
#define SLOTS 2 /* of an arena */
#endif

#define ALL ((1 << SLOTS) - 1)
#define NOBODY 0 /* a home; the sets are 1 and 2 */

/* The steps of fullness: some slots are free, or all are. */
#define SOME_FREE 0
#define ALL_FREE 1
#define NOWHERE 2
#define LOOK 3 /* not looked yet */
#define step_of(word) ((word) == ALL -> NOWHERE : ((word) == 0 -> ALL_FREE : SOME_FREE))

/* An arena (arn_arena). */
byte taken[ARENAS], home[ARENAS], dirty[ARENAS];
/* A bit per arena. */
byte hints[4]; /* by_fullness, of both sets */
byte idle;
byte frontier;
#define hint(set, step) hints[((set) - 1) * 2 + (step)]

/* Not in the library: what is true. */
byte owners[2 * ARENAS]; /* the slots that are in use on behalf of a set */
byte content[ARENAS];    /* the slots that hold something */
byte users[3];           /* the operations under way on behalf of a set */
bool closing[3];
#define owned(set, arena) owners[((set) - 1) * ARENAS + (arena)]
#define nobody_owns(arena, mask) (((owned(1, arena) | owned(2, arena)) & (mask)) == 0)

/* Slots that are in this thread's hands are in use from now on. */
inline own(arena, what) {
  assert(nobody_owns(arena, what));
  assert((taken[arena] & (what)) == (what));
  assert(home[arena] == set);
  owned(set, arena) = owned(set, arena) | (what)
}

/* Slots just claimed: the set sees whether they are clean, and fills them. */
inline use(arena, what) {
  own(arena, what);
  assert((dirty[arena] & (what)) || !(content[arena] & (what)));
  content[arena] = content[arena] | (what)
}

/* and_seq_cst(&taken, ~what): the slots are in this thread's hands, and no longer in use. */
inline release(arena, what) {
  assert(nobody_owns(arena, what));
  assert((taken[arena] & (what)) == (what));
  taken[arena] = taken[arena] & ~(what)
}

/* While no operation is under way. */
inline at_rest(arena) {
  assert(taken[arena] == (owned(1, arena) | owned(2, arena)));
  if
  :: home[arena] == NOBODY ->
    assert(taken[arena] == 0 && content[arena] == 0);
    assert(arena >= frontier || (idle >> (arena) & 1))
  :: home[arena] != NOBODY && taken[arena] != ALL ->
    assert(hint(home[arena], step_of(taken[arena])) >> (arena) & 1)
  :: else
  fi
}

/* The operation is over. What its variables held is forgotten, so that spin takes states for the
 * same that differ in nothing else. That is why they are cleared, too, once they are not needed. */
inline finish() {
  if
  :: closing[set] -> closing[set] = false
  :: else -> users[set]--
  fi;
  if
  :: users[1] + users[2] == 0 && !closing[1] && !closing[2] ->
    i = 0;
    do
    :: i < ARENAS -> at_rest(i); i++
    :: else -> break
    od
  :: else
  fi;
  set = 0; number = 0; count = 0; from = 0; word = 0; mask = 0; held = 0;
  other = 0; step = 0; at = 0; i = 0; fresh = false
}

/* --- Hints ------------------------------------------------------------------------------------ */

inline hint_set(which, where, arena) {
  hint(which, where) = hint(which, where) | 1 << (arena)
}
inline hint_clear(which, where, arena) {
  hint(which, where) = hint(which, where) & ~(1 << (arena))
}
inline hint_idle(arena) {
  idle = idle | 1 << (arena)
}

#ifdef BREAK_HINT_LOOK
#define LAST_LOOK at = 0; break
#else
#define LAST_LOOK skip
#endif

/* From step `at`. */
inline place_hint(which, arena) {
  do
  :: atomic {
      if
      :: home[arena] == which -> step = LOOK
      :: home[arena] != which && at != NOWHERE -> step = NOWHERE
      :: home[arena] != which && at == NOWHERE -> at = 0; step = 0; break
      fi
    };
    if
    :: atomic { step == NOWHERE -> hint_clear(which, at, arena); at = NOWHERE; step = 0; LAST_LOOK }
    :: atomic {
        step == LOOK -> step = step_of(taken[arena]);
        if
        :: step == at -> at = 0; step = 0; break
        :: else
        fi
      };
      if
      :: atomic { step == NOWHERE -> hint_clear(which, at, arena); at = NOWHERE; step = 0; LAST_LOOK }
      :: atomic {
          step != NOWHERE && at == NOWHERE -> hint_set(which, step, arena);
          at = step; step = 0; LAST_LOOK
        }
      :: atomic { step != NOWHERE && at != NOWHERE -> hint_set(which, step, arena) };
        atomic { hint_clear(which, at, arena); at = step; step = 0; LAST_LOOK }
      fi
    fi
  od
}

/* The caller holds all slots but those of strangers, whose holders release them themselves. */
inline set_idle(arena, strangers) {
  dirty[arena] = 0;
#ifdef BREAK_IDLE_ORDER
  atomic { release(arena, ALL & ~(strangers)) };
#endif
  atomic {
    assert(nobody_owns(arena, ALL) && home[arena] == set);
    home[arena] = NOBODY; at = ALL_FREE
  };
  place_hint(set, arena);
#ifndef BREAK_IDLE_ORDER
  atomic { release(arena, ALL & ~(strangers)) };
#endif
#ifndef BREAK_IDLE_HINT
  hint_idle(arena)
#endif
}

/* --- Threads ---------------------------------------------------------------------------------- */

/* What may be left out, to visit fewer states: */
#ifdef ASYMMETRIC /* the first thread works for set 1 only, and set 1 stays */
#define any_set_allowed (_pid == 1)
#define may_close(which) (which == 2)
#else
#define any_set_allowed true
#define may_close(which) true
#endif
#ifdef STRANGER /* the first thread only does what goes by a hint of slots: it takes and purges */
#define by_slots true
#define by_arenas (_pid == 1)
#define by_owner (_pid == 1)
#else /* a third thread only takes arenas by a hint */
#define by_slots (_pid < 2)
#define by_arenas true
#define by_owner (_pid < 2)
#endif
#define set_open (!closing[1] || !closing[2] && any_set_allowed)
#define set_unused(set) (users[set] == 0 && !closing[set] && may_close(set))
#define owns_any(set) \
  (!closing[set] && (set == 1 || any_set_allowed) && (owned(set, 0) || owned(set, ARENAS - 1)))

inline any_set() {
  if
  :: !closing[1] -> set = 1
  :: !closing[2] && any_set_allowed -> set = 2
  fi;
  users[set]++
}

inline any_arena() {
  if
  :: number = 0
  :: frontier > 1 -> number = 1
  fi
}

/* One arena, or two. */
inline any_arenas() {
  if
  :: any_arena(); count = 1
  :: frontier > 1 -> count = 2
  fi
}

/* Slots that a set uses, one or all of an arena's: into this thread's hands. */
inline any_owned() {
  if
  :: owns_any(1) -> set = 1
  :: owns_any(2) -> set = 2
  fi;
  users[set]++;
  if
  :: owned(set, 0)
  :: ARENAS > 1 && owned(set, ARENAS - 1) -> number = 1
  fi;
  if
  :: mask = owned(set, number)
  :: mask = owned(set, number) & -owned(set, number)
  fi;
  owned(set, number) = owned(set, number) & ~mask
}

active [THREADS] proctype thread() {
  byte set, number, count, from; /* what the operation is about */
  byte word, mask, held, other, step, at, i;
  bool fresh;

end: /* a thread may stay here for ever */
  do
  /* take; of a single slot, it is take_run */
  :: atomic {
      by_slots && SLOTS > 1 && set_open && frontier > 0 -> any_set(); any_arena(); word = taken[number]
    };
    do
    :: atomic {
        /* On which step the hint was seen does not matter, if it is not the right one. */
        if
        :: home[number] == set -> at = LOOK
        :: home[number] == set && step_of(word) != SOME_FREE -> at = SOME_FREE
        :: home[number] == set && step_of(word) != ALL_FREE -> at = ALL_FREE
        :: home[number] != set -> at = SOME_FREE
        :: home[number] != set -> at = ALL_FREE
        fi
      };
      if
      :: at != LOOK ->
        place_hint(set, number);
        atomic {
          if
          :: home[number] != set -> goto done
          :: else
          fi
        }
      :: else
      fi;
      atomic {
        at = 0;
        if
        :: word == ALL -> goto done
        :: word == 0 -> mask = ALL
        :: word != ALL -> mask = ~word & (word + 1) /* the lowest */
        fi;
        if
        :: taken[number] == word -> taken[number] = word | mask; at = step_of(word); word = 0; break
        :: else -> word = taken[number]; mask = 0
        fi
      }
    od;
    atomic {
      if
#ifndef BREAK_HOME_AGAIN
      :: home[number] != set -> goto stranger
#endif
      :: else -> use(number, mask); mask = 0; other = set; goto hint
      fi
    }

  /* give */
  :: atomic { by_owner && (owns_any(1) || owns_any(2)) -> any_owned(); assert(home[number] == set) };
#ifndef BREAK_DIRTY_FIRST
    dirty[number] = dirty[number] | mask;
#endif
#ifdef BREAK_GIVE_ATOMIC
    word = taken[number];
    atomic { at = step_of(word); taken[number] = word & ~mask; word = 0 };
#else
    atomic { at = step_of(taken[number]); release(number, mask) };
#endif
#ifdef BREAK_DIRTY_FIRST
    dirty[number] = dirty[number] | mask;
#endif
    atomic { mask = 0; other = set; goto hint }

  /* extend: held is in the caller's hands, and one more is wanted. */
  :: atomic {
      by_owner && SLOTS > 1 && (owns_any(1) || owns_any(2)) ->
      any_owned(); held = mask; mask = 0; word = taken[number]
    };
    do
    :: atomic {
        if
        :: word == ALL -> own(number, held); goto done
        :: else -> mask = ~word & (word + 1)
        fi;
        if
        :: taken[number] == word -> taken[number] = word | mask; at = step_of(word); word = 0; break
        :: else -> word = taken[number]; mask = 0
        fi
      }
    od;
    atomic { use(number, mask); own(number, held); mask = 0; held = 0; other = set; goto hint }

  /* purge */
  :: atomic {
      by_slots && set_open && frontier > 0 -> any_set(); any_arena(); word = taken[number]
    };
    atomic {
      if
      :: home[number] != set -> goto done
      :: else
      fi
    };
    do
    :: atomic {
        mask = (word == 0 -> ALL : ~word & dirty[number] & ALL);
        if
        :: mask == 0 -> goto done
        :: else
        fi
      };
      atomic {
        if
        :: taken[number] == word -> taken[number] = word | mask; at = step_of(word); word = 0; break
        :: else -> word = taken[number]; mask = 0
        fi
      }
    od;
    atomic {
      if
      :: home[number] != set -> goto stranger
      :: else
      fi
    };
    place_hint(set, number);
    atomic {
      if
      :: goto unclaim /* the system refused */
      :: assert(nobody_owns(number, mask));
        content[number] = content[number] & ~(dirty[number] & mask);
        dirty[number] = dirty[number] & ~mask
      fi;
      if
      :: mask == ALL -> mask = 0
#ifdef BREAK_HOME_HELD
      :: mask != ALL && (taken[number] & ~mask) == 0 -> skip
#endif
      :: else -> goto unclaim
      fi
    };
    set_idle(number, 0);
    goto done

  /* take_run, take_new */
  :: atomic {
      by_arenas && set_open && frontier > 0 -> any_set(); any_arenas(); from = set; goto claim_arenas
    }
  :: atomic {
      by_owner && set_open && frontier > 0 -> any_set(); any_arenas(); from = NOBODY; goto claim_arenas
    }

  /* take_fresh: for itself, or only to move the frontier */
  :: atomic {
      by_owner && set_open && frontier < ARENAS -> any_set(); number = frontier; count = 1;
      if
      :: frontier + 1 < ARENAS -> count = 2
      :: true
      fi;
      frontier = frontier + count;
      if
      :: fresh = true; goto claim_arenas
      :: goto hint_idle_all
      fi
    }

  /* close */
  :: atomic {
      by_owner && (set_unused(1) || set_unused(2)) ->
      if
      :: set_unused(1) -> set = 1
      :: set_unused(2) -> set = 2
      fi;
      closing[set] = true
    };
    do
    :: atomic {
        if
        :: number == ARENAS -> break
        :: number < ARENAS && home[number] != set -> number++
        :: number < ARENAS && home[number] == set -> at = LOOK
        fi
      };
      if
      :: atomic {
          at == LOOK ->
          at = 0;
          mask = taken[number] & ~owned(set, number);
#ifdef BREAK_CLOSE
          mask = 0;
#endif
          owned(set, number) = 0;
          taken[number] = ALL
        };
        content[number] = 0;
        set_idle(number, mask);
        atomic { mask = 0; number++ }
      :: else
      fi
    od;
    hint(set, SOME_FREE) = 0;
    hint(set, ALL_FREE) = 0;
    goto done
  od;

/* Claims the arenas number .. number + count - 1, whose home is from: all, or none. */
claim_arenas:
#ifdef BREAK_FRESH
  if
  :: atomic { fresh -> taken[number] = ALL; taken[number + count - 1] = ALL; goto settle }
  :: else
  fi;
#endif
  do
  :: atomic {
      if
      :: home[number + i] != from -> goto give_up
      :: else
      fi
    };
    atomic {
      if
      :: taken[number + i] == 0 -> taken[number + i] = ALL; i++
      :: else -> goto give_up
      fi
    };
    atomic {
      if
#ifndef BREAK_ARENA_HOME_AGAIN
      :: home[number + i - 1] != from -> goto give_up
#endif
      :: else ->
        if
        :: i == count -> i = 0; break
        :: else
        fi
      fi
    }
  od;
  do
  :: atomic { i < count && from == NOBODY -> idle = idle & ~(1 << (number + i)); i++ }
  :: atomic { i < count && from != NOBODY -> at = ALL_FREE }; place_hint(set, number + i); i++
  :: atomic { i == count && from != NOBODY -> i = 0; goto use_arenas }
  :: atomic { i == count && from == NOBODY -> i = 0; goto settle }
  od;

/* All slots of arenas that were nobody's are in this thread's hands. */
settle:
  atomic {
    if
    :: i = count; goto give_up /* the budget, or the system, refused */
    :: true
    fi
  };
  do
  :: atomic { assert(content[number + i] == 0); dirty[number + i] = 0 };
    atomic {
      assert(nobody_owns(number + i, ALL) && taken[number + i] == ALL && home[number + i] == NOBODY);
      home[number + i] = set;
      i++;
      if
      :: i == count -> i = 0; break
      :: else
      fi
    }
  od;
  if
  :: goto use_arenas
  :: atomic {
      count == 1 -> release(number, ALL & ~1); use(number, 1); at = NOWHERE; other = set; goto hint
    }
  fi;

use_arenas:
  atomic {
    do
    :: i < count -> use(number + i, ALL); i++
    :: else -> goto done
    od
  };

/* Releases the first i arenas of those that were to be claimed. */
give_up:
#ifdef BREAK_GIVE_UP
  i = 0;
#endif
  do
  :: atomic { i > 0 -> i--; other = home[number + i] };
    atomic { at = step_of(taken[number + i]); release(number + i, ALL) };
    if
    :: atomic { other == NOBODY -> at = 0; hint_idle(number + i) }
    :: other != NOBODY -> place_hint(other, number + i)
    fi
  :: atomic { i == 0 && fresh -> other = 0; goto hint_idle_all }
  :: atomic { i == 0 && !fresh -> goto done }
  od;

hint_idle_all:
  do
  :: atomic { i < count -> hint_idle(number + i); i++ }
  :: atomic { i == count -> goto done }
  od;

/* Slots were claimed, from step `at`, in an arena whose home is not what was meant: first the hint is
 * moved for the claim, then for the release. */
stranger:
#ifndef BREAK_STRANGER_HINT
  other = home[number];
  if
  :: other != NOBODY -> place_hint(other, number)
  :: else
  fi;
#endif
  atomic { at = 0; other = 0 };

/* Returns the slots of mask. The home is stable, because slots are held, unless its set is closed. */
unclaim:
  other = home[number];
  atomic { at = step_of(taken[number]); release(number, mask); mask = 0 };
  if
#ifndef BREAK_UNCLAIM_HINT
  :: atomic { other != NOBODY -> goto hint }
#endif
  :: atomic { else -> at = 0; hint_idle(number); goto done }
  fi;

hint:
  place_hint(other, number);

done:
  atomic { finish(); goto end }
}
