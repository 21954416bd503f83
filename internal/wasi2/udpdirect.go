package wasi2

import (
	"net/netip"
	"syscall"

	"github.com/wasport/wasport/internal/component/canon"
)

// The functions of datagrams are direct: they read and write guest memory, and allocate nothing.
// The sizes and offsets below are those of the records of udp.wit, which a test compares.
const (
	// incoming-datagram: data, remote-address.
	incomingSize, incomingAlign = 40, 4
	incomingAddress             = 8

	// outgoing-datagram: data, and an option whose payload is the address.
	outgoingSize, outgoingAlign = 44, 4
	outgoingOption              = 8
	outgoingAddress             = 12
)

// datagram is a datagram that was received into the guest's memory.
type datagram struct {
	ptr, size uint32
	from      netip.AddrPort
}

func directReceive(g *Guest, c *canon.Call, stack []uint64) error {
	rep, err := c.Self(stack)
	if err != nil {
		return err
	}
	s := g.incoming.at(rep)
	err = g.receive(c, s, int(min(stack[1], maxDatagrams)))
	if err == nil && len(g.received) == 0 && !s.ended {
		err, s.err = s.err, nil
	}
	if err != nil {
		return g.putCode(c, err)
	}
	return g.putReceived(c, g.received)
}

// receive fills g.received with up to most datagrams that are there. An error that is not the
// guest's end is kept in the stream.
func (g *Guest) receive(c *canon.Call, s *incoming, most int) error {
	g.received = g.received[:0]
	if s.ended {
		return nil
	}
	buf, total := g.room(maxRead), 0
	for len(g.received) < most && total < maxReceived && s.err == nil {
		r, err := s.next(g, buf)
		switch {
		case err == syscall.EAGAIN:
			return nil
		case err != nil:
			s.err = err
			return g.Err()
		}
		ptr, err := c.Realloc(1, uint32(r.N))
		if err != nil {
			return err
		}
		copy(c.View()[ptr:], buf[:r.N])
		g.received = append(g.received, datagram{ptr, uint32(r.N), r.From})
		total += r.N
	}
	return nil
}

// putReceived writes the list of datagrams as the result.
func (g *Guest) putReceived(c *canon.Call, list []datagram) error {
	ptr, err := c.Realloc(incomingAlign, uint32(incomingSize*len(list)))
	if err != nil {
		return err
	}
	records := c.View()[ptr:]
	for i, d := range list {
		record := records[i*incomingSize:]
		le.PutUint32(record, d.ptr)
		le.PutUint32(record[4:], d.size)
		putAddrPort(record[incomingAddress:], d.from)
	}
	r := c.Result()
	r[0] = 0
	le.PutUint32(r[4:], ptr)
	le.PutUint32(r[8:], uint32(len(list)))
	return nil
}

func directCheckSend(g *Guest, c *canon.Call, stack []uint64) error {
	rep, err := c.Self(stack)
	if err != nil {
		return err
	}
	n, err := g.outgoing.at(rep).checkSend(g)
	if err != nil {
		return g.putCode(c, err)
	}
	putSent(c, uint64(n))
	return nil
}

func directSend(g *Guest, c *canon.Call, stack []uint64) error {
	rep, err := c.Self(stack)
	if err != nil {
		return err
	}
	s, count := g.outgoing.at(rep), uint32(stack[2])
	list, err := c.List(uint32(stack[1]), count, outgoingSize, outgoingAlign)
	if err != nil {
		return err
	}
	if count > 0 && s.ended {
		return g.putCode(c, invalidState)
	}
	if count > s.permit {
		return trapf("the stream permits %d datagrams, and %d are sent", s.permit, count)
	}
	if count > 0 {
		s.permit = 0
	}
	// A mistake in the arguments ends the guest before anything is sent.
	for record := list; len(record) > 0; record = record[outgoingSize:] {
		if _, _, err := getOutgoing(c, record); err != nil {
			return err
		}
	}
	sent := uint64(0)
	for record := list; len(record) > 0; record = record[outgoingSize:] {
		b, to, err := getOutgoing(c, record)
		if err == nil {
			err = s.sendOne(g, b, to)
		}
		switch {
		case err == nil:
			sent++
			continue
		case sent == 0 && err != syscall.EAGAIN:
			return g.putCode(c, err)
		}
		break
	}
	putSent(c, sent)
	return nil
}

// getOutgoing reads an outgoing-datagram. The address is invalid if there is none.
func getOutgoing(c *canon.Call, record []byte) ([]byte, netip.AddrPort, error) {
	b, err := c.Bytes(le.Uint32(record), le.Uint32(record[4:]))
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	switch record[outgoingOption] {
	case 0:
		return b, netip.AddrPort{}, nil
	case 1:
		to, err := getAddrPort(record[outgoingAddress:])
		return b, to, err
	}
	return nil, netip.AddrPort{}, trapf("%d is no case of option", record[outgoingOption])
}

// putSent writes n as the result of a function that returns result<u64, error-code>.
func putSent(c *canon.Call, n uint64) {
	r := c.Result()
	r[0] = 0
	le.PutUint64(r[8:], n)
}
