package schedule

// Describe says the schedule for people, such as "every Friday at 08:00 (Europe/Paris)".
func (s *Schedule) Describe() string {
	return s.describe() + " (" + s.zone.String() + ")"
}
func (s *Schedule) describe() string { return s.spec }
