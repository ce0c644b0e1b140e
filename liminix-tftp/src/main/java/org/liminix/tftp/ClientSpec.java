package org.liminix.tftp;

import java.net.InetSocketAddress;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.liminix.net.DatagramHost;
import org.liminix.tftp.internal.Negotiation;
import org.liminix.tftp.internal.RetryTimer;

/**
 * All a client was told, fixed when it starts.
 *
 * @param server where its requests go
 * @param host where it lives, or null for this machine
 * @param plain whether it sends no options at all
 * @param maxDownload the most bytes of a file it fetches
 */
record ClientSpec(
    InetSocketAddress server,
    @Nullable DatagramHost host,
    int blockSize,
    int window,
    boolean plain,
    boolean netascii,
    long maxDownload,
    RetryTimer.Patience patience) {

  /** The options of a request for content of that size, -1 if it is not known. */
  Map<String, String> options(long size) {
    return plain ? Map.of() : Negotiation.request(blockSize, window, null, size);
  }
}
