package org.liminix.isp;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Who may dial in, as those who see to a client ask. Confined to the loop. */
interface Subscribers {
  /**
   * Why somebody gets no session.
   *
   * @param reason how the link ends for it
   * @param detail for the tester; the client is told less
   */
  record Refusal(IspEvent.Reason reason, String detail) {
    static Refusal authentication(String detail) {
      return new Refusal(IspEvent.Reason.AUTHENTICATION, detail);
    }
  }

  /** The secret of a user, or null if there is no such user. */
  @Nullable String secretOf(String user);

  /** Why a user who has proved who it is gets no session all the same. */
  Optional<Refusal> refusalOf(String user);

  /** What a user has been sold. */
  Account.Terms terms(String user);
}
