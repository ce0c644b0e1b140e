package org.liminix.tftp;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.liminix.net.DatagramHost;
import org.liminix.tftp.internal.AllowList;
import org.liminix.tftp.internal.BulkSending;
import org.liminix.tftp.internal.LinuxBulkSending;
import org.liminix.tftp.internal.Negotiation;
import org.liminix.tftp.internal.RetryTimer;

/**
 * All a server was told, fixed when it starts.
 *
 * @param host where it lives, or null for this machine at {@code address}
 * @param maxTransfers how many may be under way at once
 * @param maxMemory the most bytes in all windows, those of one small block aside
 * @param openers how many threads may wait for disks and users' functions
 * @param history how many that are over are remembered
 * @param linger how long a completed write answers a client that missed the end
 * @param windows how the packets of a window reach the kernel
 */
record ServerSpec(
    AllowList allowed,
    Catalogue catalogue,
    @Nullable Uploads uploads,
    @Nullable DatagramHost host,
    InetAddress address,
    int port,
    Negotiation.Limits limits,
    RetryTimer.Patience patience,
    int maxTransfers,
    long maxMemory,
    int openers,
    int history,
    Duration linger,
    Windows windows,
    List<TftpListener> listeners,
    @Nullable TftpFaults faults) {

  /** How the packets of a window reach the kernel; each where it works, or else the next. */
  enum Windows {
    /** As one packet that it cuts. */
    SEGMENTED,
    /** With one call. */
    UNSEGMENTED,
    /** One by one. */
    SINGLE;

    BulkSending sending() {
      return this == SINGLE ? BulkSending.NONE : new LinuxBulkSending(this == SEGMENTED);
    }
  }
}
