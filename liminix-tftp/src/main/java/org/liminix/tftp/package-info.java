/**
 * A TFTP server and client (RFC 1350, 2347, 2348, 2349, 7440) over UDP or an emulated segment.
 * Begin at {@link org.liminix.tftp.TftpServer} or {@link org.liminix.tftp.TftpClient}.
 */
package org.liminix.tftp;
