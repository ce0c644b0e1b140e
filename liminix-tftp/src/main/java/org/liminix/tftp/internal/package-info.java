/** The protocol itself: packets, negotiation, sending, receiving and the ports it runs over. */
package org.liminix.tftp.internal;
