package org.liminix.tftp.internal;

import java.io.IOException;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;

/** A way to hand the kernel the packets of a window at once. Used on one event loop. */
public interface BulkSending {
  /** The most segments Linux cuts one send into, and enough for one call. */
  int MOST_PACKETS = 64;

  /** What Java alone can do: packets are sent one by one. */
  BulkSending NONE = channel -> null;

  /** Gets ready, which may take a while; called from any thread but the event loop's. */
  default void prepare() {}

  /** The way out of a connected channel, or null if there is none but the channel itself. */
  @Nullable Outlet of(DatagramChannel channel);

  /** Sends from one channel, as long as that is open. */
  interface Outlet {
    /**
     * Sends packets laid end to end in a direct buffer, each {@code size} bytes long but the last,
     * which may be shorter. A packet that the kernel cannot send is lost.
     *
     * @param packets from position to limit; the position moves past what was sent
     * @return false if the channel took no more for now
     * @throws PortUnreachableException if the peer's machine says that nobody listens there
     */
    boolean send(ByteBuffer packets, int size) throws IOException;
  }
}
