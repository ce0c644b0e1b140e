package org.liminix.tftp.internal;

import com.kenai.jffi.ArrayFlags;
import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.HeapInvocationBuffer;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.Platform;
import com.kenai.jffi.Type;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Calls of the C library of Linux on the sockets of this process, with the layouts of 64-bit
 * machines. Made by jffi, which may be absent: loading this class fails then. Used on one event
 * loop.
 */
final class SocketCalls {
  static final int SOL_UDP = 17;
  static final int UDP_SEGMENT = 103;

  static final int EINTR = 4;
  static final int EAGAIN = 11;
  static final int ECONNREFUSED = 111;

  /** The most packets in one call. */
  static final int MOST_MESSAGES = BulkSending.MOST_PACKETS;

  private static final int AF_INET6 = 10;

  /**
   * A {@code sockaddr_in6}: 2 bytes family, 2 port, 4 flow, 16 address, 4 scope. A {@code
   * sockaddr_in} has its 4 bytes of address right behind the port.
   */
  private static final int ADDRESS_LENGTH = 28;

  /** A {@code struct mmsghdr}: the message's iovec is at 16, their count at 24. */
  private static final int MESSAGE_LENGTH = 64;

  private static final int IOVEC_LENGTH = 16;

  private final Invoker invoker = Invoker.getInstance();
  private final CallContext optionCall =
      call(Type.SINT, Type.SINT, Type.SINT, Type.POINTER, Type.UINT32);
  private final CallContext nameCall = call(Type.SINT, Type.POINTER, Type.POINTER);
  private final CallContext sendCall = call(Type.SINT, Type.POINTER, Type.UINT32, Type.SINT);
  private final long setOption = symbol("setsockopt");
  private final long ownName = symbol("getsockname");
  private final long peerName = symbol("getpeername");
  private final long sendMessages = symbol("sendmmsg");

  /** The messages, then the iovec of each. */
  private final ByteBuffer messages =
      ByteBuffer.allocateDirect(MOST_MESSAGES * (MESSAGE_LENGTH + IOVEC_LENGTH))
          .order(ByteOrder.nativeOrder());

  private final long messagesAddress = address(messages);

  /**
   * Finds the calls.
   *
   * @throws IllegalStateException if this is another kind of machine
   */
  SocketCalls() {
    if (Platform.getPlatform().addressSize() != Long.SIZE) {
      throw new IllegalStateException("Not a 64-bit machine");
    }
    for (int i = 0; i < MOST_MESSAGES; i++) {
      messages.putLong(i * MESSAGE_LENGTH + 16, messagesAddress + iovec(i));
      messages.putLong(i * MESSAGE_LENGTH + 24, 1);
    }
  }

  private static CallContext call(Type... parameters) {
    // The last argument asks for errno to be kept.
    return CallContext.getCallContext(Type.SINT, parameters, CallingConvention.DEFAULT, true);
  }

  private static long symbol(String name) {
    long address = Library.getDefault().getSymbolAddress(name);
    if (address == 0) {
      throw new IllegalStateException("The C library has no " + name);
    }
    return address;
  }

  private static long address(ByteBuffer direct) {
    return MemoryIO.getInstance().getDirectBufferAddress(direct);
  }

  private static int iovec(int message) {
    return MOST_MESSAGES * MESSAGE_LENGTH + message * IOVEC_LENGTH;
  }

  boolean setOption(int descriptor, int level, int option, int value) {
    HeapInvocationBuffer arguments = new HeapInvocationBuffer(optionCall);
    arguments.putInt(descriptor);
    arguments.putInt(level);
    arguments.putInt(option);
    arguments.putArray(new int[] {value}, 0, 1, ArrayFlags.IN);
    arguments.putInt(Integer.BYTES);
    return invoker.invokeInt(optionCall, setOption, arguments) == 0;
  }

  /** Whether it is the socket that is bound and connected to these addresses. */
  boolean connects(int descriptor, InetSocketAddress own, InetSocketAddress peer) {
    return peer.equals(name(peerName, descriptor)) && own.equals(name(ownName, descriptor));
  }

  /** The address that a call tells of, or null if it is no connected socket of IP. */
  private @Nullable InetSocketAddress name(long call, int descriptor) {
    byte[] bytes = new byte[ADDRESS_LENGTH];
    HeapInvocationBuffer arguments = new HeapInvocationBuffer(nameCall);
    arguments.putInt(descriptor);
    arguments.putArray(bytes, 0, bytes.length, ArrayFlags.OUT);
    arguments.putArray(new int[] {ADDRESS_LENGTH}, 0, 1, ArrayFlags.IN | ArrayFlags.OUT);
    if (invoker.invokeInt(nameCall, call, arguments) != 0) {
      return null;
    }
    ByteBuffer address = ByteBuffer.wrap(bytes);
    int port = address.getShort(2) & 0xffff;
    boolean six = address.order(ByteOrder.nativeOrder()).getShort(0) == AF_INET6;
    try {
      return new InetSocketAddress(
          InetAddress.getByAddress(Arrays.copyOfRange(bytes, six ? 8 : 4, six ? 24 : 8)), port);
    } catch (UnknownHostException e) {
      throw new AssertionError(e); // of 4 or 16 bytes all are addresses
    }
  }

  /**
   * Sends packets laid end to end with one {@code sendmmsg} (sendmmsg(2)).
   *
   * @param packets a direct buffer, from position to limit; the position moves past what was sent
   * @return 0, or the number of the error (errno(3)) that kept even the first from being sent
   */
  int send(int descriptor, ByteBuffer packets, int size) {
    int start = packets.position();
    int end = packets.limit();
    long address = address(packets);
    int count = 0;
    for (int at = start; at < end && count < MOST_MESSAGES; at += size) {
      int iovec = iovec(count++);
      messages.putLong(iovec, address + at).putLong(iovec + 8, Math.min(size, end - at));
    }
    int sent =
        (int) invoker.invokeN4(sendCall, sendMessages, descriptor, messagesAddress, count, 0);
    if (sent < 0) {
      return LastError.getInstance().get();
    }
    packets.position(Math.min(end, start + sent * size));
    return 0;
  }
}
