-- time(prefix) -> ms
return now()
