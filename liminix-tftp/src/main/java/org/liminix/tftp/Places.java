package org.liminix.tftp;

import static com.google.common.collect.ImmutableListMultimap.toImmutableListMultimap;

import com.google.common.collect.ImmutableListMultimap;
import java.net.InetAddress;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The transfers under way, of which there are only so many, and who makes way when another client
 * wants a place. Used on one event loop only.
 *
 * <p>A client that has not reacted yet may be a forged address. A thousand of those displace each
 * other, the oldest first, and nobody who is there: for them there are a few places more. Who has
 * reacted may claim a place of an address that has more of them, and gets that of its client that
 * has been quiet longest. So one address, however many slow readers it has, shuts nobody out, and a
 * slow reader on a server that has places may take its time.
 */
final class Places {
  private static final Logger log = LoggerFactory.getLogger(Places.class);

  /** For each so many places there is one more for clients that have not reacted yet. */
  private static final int SPARE = 16;

  private final int most;
  private final Set<ServerTransfer> transfers = new LinkedHashSet<>();
  private final Set<ServerTransfer> halfOpen = new LinkedHashSet<>();
  private boolean full;

  Places(int most) {
    this.most = most;
  }

  /** Whether another transfer of that client fits in, if need be as somebody makes way. */
  boolean makeRoomFor(InetAddress client) {
    if (transfers.size() < most) {
      full = false;
      return true;
    }
    if (!full) {
      full = true;
      log.warn("{} transfers are under way, the most that were allowed", transfers.size());
    }
    if (halfOpen.size() <= most / SPARE
        && (reactedCount() < most || quietOfGreedier(client).isPresent())) {
      return true;
    }
    var oldest = halfOpen.iterator();
    if (!oldest.hasNext()) {
      return false;
    }
    oldest
        .next()
        .end(TftpTransfer.State.FAILED, null, "displaced, as the client had not reacted yet");
    return true;
  }

  void add(ServerTransfer transfer) {
    transfers.add(transfer);
    halfOpen.add(transfer);
  }

  /** A client has reacted for the first time, and may claim a place. */
  void reacted(ServerTransfer transfer) {
    if (reactedCount() >= most) {
      quietOfGreedier(transfer.client().getAddress())
          .ifPresentOrElse(
              quiet -> quiet.fail(TftpError.UNDEFINED, "This address has too many transfers", null),
              () -> transfer.fail(TftpError.UNDEFINED, "The server has no place left", null));
    }
    halfOpen.remove(transfer);
  }

  void remove(ServerTransfer transfer) {
    transfers.remove(transfer);
    halfOpen.remove(transfer);
  }

  List<ServerTransfer> all() {
    return List.copyOf(transfers);
  }

  private int reactedCount() {
    return transfers.size() - halfOpen.size();
  }

  /**
   * Of the address with the most clients that have reacted, if those are more than this client's
   * address would have, the one that has been quiet longest.
   */
  private Optional<ServerTransfer> quietOfGreedier(InetAddress client) {
    ImmutableListMultimap<InetAddress, ServerTransfer> byAddress =
        transfers.stream()
            .filter(transfer -> !transfer.halfOpen())
            .collect(
                toImmutableListMultimap(
                    transfer -> transfer.client().getAddress(), transfer -> transfer));
    int own = byAddress.get(client).size() + 1;
    return byAddress.asMap().values().stream()
        .filter(others -> others.size() > own)
        .max(Comparator.comparingInt(Collection::size))
        .flatMap(others -> others.stream().reduce(ServerTransfer::quieter));
  }
}
