package org.liminix.console;

import com.google.common.net.InetAddresses;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitInterruptedException;

/** Connects over TCP within a deadline that also bounds the look-up of the name. */
final class TcpDial {
  /** A server that vanished is noticed after 30 s + 4 * 15 s, not after two hours. */
  private static final int KEEP_ALIVE_IDLE_SECONDS = 30;

  private static final int KEEP_ALIVE_INTERVAL_SECONDS = 15;
  private static final int KEEP_ALIVE_PROBES = 4;

  private final String host;
  private final int port;
  private final Deadline deadline;

  TcpDial(String host, int port, Deadline deadline) {
    this.host = host;
    this.port = port;
    this.deadline = deadline;
  }

  static void requireAddress(String host, int port) {
    if (host.isBlank()) {
      throw new IllegalArgumentException("Name the host to connect to: it cannot be blank");
    }
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("A TCP port is between 1 and 65535: " + port);
    }
  }

  UnixSocket connect() {
    InetAddress[] addresses = resolve();
    IOException failure = null;
    for (int i = 0; i < addresses.length; i++) {
      try {
        // A share for each, so that one that swallows packets leaves time for the others.
        Deadline share = Deadline.after(deadline.remaining().dividedBy(addresses.length - i));
        SocketChannel channel = attempt(new InetSocketAddress(addresses[i], port), share);
        if (channel != null) {
          return UnixSocket.of(channel);
        }
      } catch (IOException e) {
        failure = e;
      }
    }
    throw failed(failure);
  }

  private InetAddress[] resolve() {
    if (InetAddresses.isInetAddress(host)) {
      return new InetAddress[] {InetAddresses.forString(host)};
    }
    CompletableFuture<InetAddress[]> answer = new CompletableFuture<>();
    Thread resolver =
        new Thread(
            () -> {
              try {
                answer.complete(InetAddress.getAllByName(host));
              } catch (UnknownHostException e) {
                answer.completeExceptionally(e);
              }
            },
            "liminix-resolve-" + host);
    resolver.setDaemon(true);
    resolver.start();
    try {
      return answer.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the address of " + host, e);
    } catch (TimeoutException e) {
      throw new ConsoleTimeoutException(
          "The name %s has not been resolved within %s: give the address instead, or repair DNS"
              .formatted(host, Deadline.readable(deadline.timeout())));
    } catch (ExecutionException e) {
      throw new ConsoleException(
          "There is no host %s, wanted for %s: correct the name, or give the address"
              .formatted(host, this),
          e.getCause());
    }
  }

  /** Null if the time is up. */
  private @Nullable SocketChannel attempt(InetSocketAddress address, Deadline share)
      throws IOException {
    SocketChannel channel = SocketChannel.open();
    try (Selector selector = Selector.open()) {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      keepAlive(channel);
      boolean connected = channel.connect(address);
      channel.register(selector, SelectionKey.OP_CONNECT);
      while (!connected && !share.hasPassed()) {
        selector.select(key -> {}, TimeUnit.NANOSECONDS.toMillis(share.remainingNanos()) + 1);
        if (Thread.interrupted()) {
          throw new WaitInterruptedException("a connection to " + this, new InterruptedException());
        }
        connected = channel.finishConnect();
      }
      if (!connected) {
        channel.close();
        return null;
      }
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
    return channel;
  }

  private static void keepAlive(SocketChannel channel) throws IOException {
    channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
    if (channel.supportedOptions().contains(ExtendedSocketOptions.TCP_KEEPIDLE)) {
      channel.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, KEEP_ALIVE_IDLE_SECONDS);
      channel.setOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, KEEP_ALIVE_INTERVAL_SECONDS);
      channel.setOption(ExtendedSocketOptions.TCP_KEEPCOUNT, KEEP_ALIVE_PROBES);
    }
  }

  private RuntimeException failed(@Nullable IOException failure) {
    if (failure == null) {
      return new ConsoleTimeoutException(
          "No answer from %s within %s: the host is off or unreachable, or a firewall drops packets"
              .formatted(this, Deadline.readable(deadline.timeout())));
    }
    String why =
        failure instanceof ConnectException && String.valueOf(failure.getMessage()).contains("refu")
            ? "Nobody listens on " + this + ": start the server there, or correct the port"
            : "Cannot connect to " + this + ": " + failure.getMessage();
    return new ConsoleException(why, failure);
  }

  @Override
  public String toString() {
    return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
  }
}
